"""A help desk that agents answer: users log in, ask over HTTP or a WebSocket, and see their agent at work.

- `users`, `context`: who is there, and whose request this is
- `model`: what stands in for a language model: local, and the same answer every time
- `agents`: what each agent can do, and the factory that builds them
- `supervisor`: the registry of agents, and the engine that runs them
- `tools`: what agents call
- `ws`: events, and the socket that carries them
- `service`, `api`, `app`: one object for the process, its HTTP side, and the application
"""
