"""Orders: check them, store them, prepare the request that announces them. An ordinary script, a few years old.

Each line that uses a deprecated path ends in `# deprecated: <rule>`; `demo.py` derives from these labels what the guard
must see. Everything happens in memory: no network, no files.
"""

import importlib
import json

import jsonschema
import requests
import urllib3
from jsonschema import RefResolver  # deprecated: ref-resolver
from requests.adapters import HTTPAdapter
from requests.packages.urllib3.util.retry import Retry  # deprecated: bundled
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


def resolver_of(schema):
    """Spelled as an attribute, and executed once for each order."""
    return jsonschema.RefResolver.from_schema(schema)  # deprecated: ref-resolver


def valid(order):
    return jsonschema.Draft7Validator(SCHEMA, resolver=resolver_of(SCHEMA)).is_valid(order)


def store(orders):
    from sqlalchemy.ext import declarative  # deprecated: declarative

    assert issubclass(Order, Base)
    assert isinstance(Base, declarative.DeclarativeMeta)
    engine = create_engine("sqlite://")
    Base.metadata.create_all(engine)
    with Session(engine) as session:
        session.add_all(Order(**order) for order in orders)
        session.commit()
        return session.scalar(select(func.sum(Order.copies)))


def host(name):
    """The name as it goes over the wire, by a module that is looked up by name."""
    return importlib.import_module("requests.packages.idna").encode(name).decode()  # deprecated: bundled


def client():
    from requests.packages import (  # deprecated: bundled
        urllib3 as bundled,
    )

    assert bundled is urllib3  # one module object under two names: only the old spelling counts
    requests.packages.urllib3.disable_warnings()  # deprecated: bundled
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=Retry(total=3)))
    return session


def prepare(copies):
    url = f"https://{host('bücher.example')}/orders"
    return client().prepare_request(requests.Request("POST", url, json={"copies": copies}))


def main():
    import sqlalchemy.ext.declarative as old  # deprecated: declarative

    accepted = [order for order in ORDERS if valid(order)]
    print(f"{len(accepted)} of {len(ORDERS)} orders are valid")
    copies = store(accepted)
    print(f"{copies} copies stored by {Order.__tablename__}, {old.has_inherited_table(Order)=}")
    for _ in range(2):
        request = prepare(copies)
    print(request.method, request.url, request.body.decode())
    print("resolver:", RefResolver.from_schema(SCHEMA).resolve("#/definitions/title")[1])


if __name__ == "__main__":
    main()
