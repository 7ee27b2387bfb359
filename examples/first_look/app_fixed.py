"""What `app.py` looks like when every deprecated path is gone: the same output, and nothing for the guard to say."""

import importlib
import json

import idna
import jsonschema
import requests
from referencing import Registry
from requests.adapters import HTTPAdapter
from sqlalchemy import Integer, String, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Session, mapped_column
from urllib3.util.retry import Retry

ORDERS = json.loads('[{"book": "Emma", "copies": 2}, {"book": "Persuasion", "copies": 1}, {"book": "", "copies": 3}]')
SCHEMA = {
    "definitions": {"title": {"type": "string", "minLength": 1}},
    "type": "object",
    "properties": {"book": {"$ref": "#/definitions/title"}, "copies": {"type": "integer"}},
}


class Base(DeclarativeBase):
    pass


class Order(Base):
    __tablename__ = "orders"
    id = mapped_column(Integer, primary_key=True)
    book = mapped_column(String)
    copies = mapped_column(Integer)


def valid(order):
    return jsonschema.Draft7Validator(SCHEMA, registry=Registry()).is_valid(order)


def store(orders):
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
    return f"https://{idna.encode(shop).decode()}/orders"


def client():
    session = requests.Session()
    session.mount("https://", HTTPAdapter(max_retries=Retry(total=3)))
    return session


def prepare(copies):
    exceptions = importlib.import_module("urllib3.exceptions")
    try:
        return client().prepare_request(requests.Request("POST", address("bücher.example"), json={"copies": copies}))
    except exceptions.HTTPError as error:
        raise SystemExit(f"no request: {error}") from None


def main():
    accepted = [order for order in ORDERS if valid(order)]
    print(f"{len(accepted)} of {len(ORDERS)} orders are valid against {list(SCHEMA)}")
    for attempt in (1, 2):
        copies = store(accepted)
        request = prepare(copies)
        print(f"{attempt}: {copies} copies, {request.method} {request.url} {request.body.decode()}")
    print(f"tables: {list(Base.metadata.tables)}, an inherited one: {issubclass(Order.__base__, Order)}")


if __name__ == "__main__":
    main()
