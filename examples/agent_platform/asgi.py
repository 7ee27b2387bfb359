"""What the server serves: `uvicorn asgi:app`."""

from fastapi import FastAPI

from helpdesk.app import create_app

app: FastAPI = create_app()
