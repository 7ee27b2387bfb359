"""Orders: check them, store them, prepare the request that announces them. An ordinary script, a few years old.

Each statement that uses a deprecated path has a comment `# deprecated: <rule>` in its first line; `demo.py` derives
from these labels what the guard must see. Everything happens in memory: no network, no files.
"""

import importlib
import json

import jsonschema
import requests
import urllib3
from jsonschema import RefResolver  # deprecated: ref-resolver
from requests.adapters import HTTPAdapter
from requests.packages.urllib3.util.retry import Retry  # deprecated: bundled-urllib3
from sqlalchemy import Integer, String, create_engine, func, select
from sqlalchemy.ext.declarative import declarative_base  # deprecated: declarative
from sqlalchemy.orm import Session, mapped_column

ORDERS = json.loads('[{"book": "Emma", "copies": 2}, {"book": "Persuasion", "copies": 1}, {"book": "", "copies": 3}]')
SCHEMA = {
    "definitions": {"title": {"type": "string", "minLength": 1}},
    "type": "object",
    "properties": {"book": {"$ref": "#/definitions/title"}, "copies": {"type": "integer"}},
}

Base = declarative_base()


class Order(Base):
    __tablename__ = "orders"
    id = mapped_column(Integer, primary_key=True)
    book = mapped_column(String)
    copies = mapped_column(Integer)


def valid(order):
    resolver = jsonschema.RefResolver.from_schema(SCHEMA)  # deprecated: ref-resolver
    return jsonschema.Draft7Validator(SCHEMA, resolver=resolver).is_valid(order)


def store(orders):
    from sqlalchemy.ext import declarative  # deprecated: declarative

    assert isinstance(Order, declarative.DeclarativeMeta)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Order(**order) for order in orders)
        session.commit()
        copies = session.scalar(select(func.sum(Order.copies)))
    engine.dispose()
    return copies


def address(shop):
    """The host name as it goes over the wire."""
    return f"https://{requests.packages.idna.encode(shop).decode()}/orders"  # deprecated: bundled-idna


def client():
    from requests.packages import (  # deprecated: bundled-urllib3
        urllib3 as bundled,
    )

    assert bundled is urllib3  # one module object under two names: only the old spelling counts
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=Retry(total=3)))
    return session


def prepare(copies):
    exceptions = importlib.import_module("requests.packages.urllib3.exceptions")  # deprecated: bundled-urllib3
    try:
        return client().prepare_request(requests.Request("POST", address("bücher.example"), json={"copies": copies}))
    except exceptions.HTTPError as error:
        raise SystemExit(f"no request: {error}") from None


def main():
    import sqlalchemy.ext.declarative as mapping  # deprecated: declarative

    accepted = [order for order in ORDERS if valid(order)]
    print(f"{len(accepted)} of {len(ORDERS)} orders are valid against {list(RefResolver.from_schema(SCHEMA).referrer)}")
    for attempt in (1, 2):
        copies = store(accepted)
        request = prepare(copies)
        print(f"{attempt}: {copies} copies, {request.method} {request.url} {request.body.decode()}")
    print(f"tables: {list(Base.metadata.tables)}, an inherited one: {mapping.has_inherited_table(Order)}")


if __name__ == "__main__":
    main()
