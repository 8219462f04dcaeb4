"""Makes the OpenAPI 3.1 document from the table of routes."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Final

from pydantic import TypeAdapter
from pydantic.json_schema import models_json_schema

from callflow import __version__
from callflow.permissions import Permission
from callflow.web.auth import CSRF_HEADER
from callflow.web.problems import MEDIA_TYPE, Problem
from callflow.web.routes import PATH_PARAMETERS, PREFIX, Route

_REF: Final = "#/components/schemas/{model}"
_PLAIN: Final[dict[str, dict[str, Any]]] = {
    "application/json": {"type": "object"},
    "audio/wav": {},
    "text/plain": {"type": "string"},
}
"""What those answers are whose handlers make them without a shape."""
_OPEN: Final = (Permission.ANYONE,)


def openapi(routes: Iterable[Route], *, cookie: str) -> dict[str, Any]:
    """The document.

    Args:
        routes: everything that can be asked.
        cookie: the session cookie's name.
    """
    routes = tuple(routes)
    schemas: dict[str, Any] = {}
    paths: dict[str, Any] = {}
    _, problem = models_json_schema([(Problem, "serialization")], ref_template=_REF)
    schemas.update(problem["$defs"])
    for route in routes:
        paths.setdefault(PREFIX + route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "callflow", "version": __version__, "description": "The 112 centre's API."},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": cookie},
                "token": {"type": "apiKey", "in": "header", "name": CSRF_HEADER},
            },
        },
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    words = [word for word in route.path.replace("{", "").replace("}", "").split("/") if word]
    operation: dict[str, Any] = {
        "operationId": "_".join([route.method.lower(), *words]).replace("-", "_").replace(".", "_"),
        "summary": route.summary,
        "description": f"Needs one of: {', '.join(route.needs)}.",
        "tags": [words[0]],
        "parameters": [*_path_parameters(route), *_query_parameters(route, schemas)],
        "responses": _responses(route, schemas),
    }
    if route.needs != _OPEN:
        needed: dict[str, list[str]] = {"session": []}
        if not route.is_safe and route.needs_token:
            needed["token"] = []
        operation["security"] = [needed]
    if route.body is not None:
        content = {"application/json": {"schema": _schema(route.body, "validation", schemas)}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _path_parameters(route: Route) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^({pattern})$"},
        }
        for name, pattern in PATH_PARAMETERS.items()
        if f"{{{name}}}" in route.path
    ]


def _query_parameters(route: Route, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = route.query.model_json_schema(ref_template=_REF)
    schemas.update(schema.pop("$defs", {}))
    parameters = []
    for name, given in schema["properties"].items():
        # An absent parameter is left out, never sent as null.
        kinds = [kind for kind in given.get("anyOf", [given]) if kind.get("type") != "null"]
        parameters.append({"name": name, "in": "query", "required": False, "schema": kinds[0]})
    return parameters


def _responses(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    done: dict[str, Any] = {"description": HTTPStatus(route.status).phrase}
    if route.answer is not None:
        done["content"] = {route.media_type: {"schema": _schema(route.answer, "serialization", schemas)}}
    elif route.status == HTTPStatus.OK:
        done["content"] = {route.media_type: {"schema": _PLAIN[route.media_type]}}
    responses = {str(route.status): done}
    if route.media_type == "audio/wav":
        responses["206"] = {**done, "description": "The range that was asked for"}
        responses["416"] = {"description": "There is no such range"}
    for status in sorted(_refusals(route)):
        responses[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="Problem")}}},
        }
    return responses


def _refusals(route: Route) -> set[int]:
    refusals = {422, *route.errors}
    if route.needs != _OPEN:
        refusals |= {401, 403}
    if not route.is_safe:
        refusals.add(403)
    if route.body is not None:
        refusals |= {400, 413, 415}
    if "{" in route.path:
        refusals.add(404)
    return refusals


def _schema(shape: Any, mode: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = TypeAdapter(shape).json_schema(mode=mode, ref_template=_REF)
    schemas.update(schema.pop("$defs", {}))
    name = shape.__name__
    schemas[name] = schema
    return {"$ref": _REF.format(model=name)}
