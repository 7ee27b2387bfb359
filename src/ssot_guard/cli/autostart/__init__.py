"""A folder for ``PYTHONPATH``: its ``sitecustomize`` guards every Python that starts with it (``ssot-guard run``)."""
