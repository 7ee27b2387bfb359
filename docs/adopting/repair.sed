s/from acme.registry import/from acme.supervisor.registry import/
s/from acme import registry/from acme.supervisor import registry/
s/from acme.settings import load/from acme.config import load_config as load/
