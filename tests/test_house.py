"""What no linter checks: sizes, descriptions, rights, documented codes, names of packages, the schema's snapshot."""

import ast
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType
from strawberry.schema.schema_converter import GraphQLCoreConverter

from models import errors as domain
from models.principal import Right
from resolvers import reading_checks
from schema import SCHEMA, errors, print_schema

ROOT = Path(__file__).parents[1]
PACKAGES = ("app", "schema", "resolvers", "models", "settings")
MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60
CORE = SCHEMA._schema


def sources(*folders: str) -> list[Path]:
    """Return the Python files of folders, without migrations, which are written once and then left alone."""
    files = (file for folder in folders for file in (ROOT / folder).rglob("*.py"))
    return sorted(file for file in files if "versions" not in file.parts)


def types() -> Iterator[Any]:
    """Return the types of the schema that are our own."""
    return (each for name, each in sorted(CORE.type_map.items()) if not name.startswith("__"))


def test_files_are_short():
    """A file that grows beyond a few screens is several."""
    counted = {file: len(file.read_text(encoding="utf-8").splitlines()) for file in sources(*PACKAGES, "tests")}
    assert {str(file): count for file, count in counted.items() if count > MOST_LINES_OF_A_FILE} == {}


def test_functions_are_short():
    """A function, with its signature and docstring, fits on a screen."""
    long: dict[str, int] = {}
    for file in sources(*PACKAGES, "tests"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno is not None:
                lines = node.end_lineno - node.lineno + 1
                if lines > MOST_LINES_OF_A_FUNCTION:
                    long[f"{file}:{node.lineno} {node.name}"] = lines
    assert long == {}


def test_tests_are_no_packages():
    """An __init__.py under tests would hide the packages that they test."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_everything_in_the_schema_is_described():
    """Each type, field, argument and input field says what it is; the values of an enum go by their names."""
    bare: list[str] = []
    for type_ in types():
        bare += [] if type_.description else [type_.name]
        for name, field in getattr(type_, "fields", {}).items():
            bare += [] if field.description else [f"{type_.name}.{name}"]
            if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
                bare += [f"{type_.name}.{name}({each}:)" for each, about in field.args.items() if not about.description]
    assert bare == []


def test_enums_are_described():
    """An enum says what its values mean where the names do not."""
    enums = [each for each in types() if isinstance(each, GraphQLEnumType)]
    assert len(enums) > 5
    assert [each.name for each in enums if not each.description] == []


def test_inputs_are_named_so():
    """What is sent and what is answered are told apart by their names."""
    inputs = [each.name for each in types() if isinstance(each, GraphQLInputObjectType)]
    assert all(name.endswith(("Input", "Filter", "Order")) for name in inputs)


@pytest.mark.parametrize("root", [CORE.mutation_type, CORE.subscription_type], ids=["mutations", "subscriptions"])
def test_each_change_takes_a_right(root: GraphQLObjectType):
    """Nobody changes or follows anything without a right that the field names."""
    for name, field in root.fields.items():
        definition = (field.extensions or {})[GraphQLCoreConverter.DEFINITION_BACKREF]
        assert isinstance(definition.metadata.get("right"), Right), name


def _tree(error: type[domain.IoTSphereError]) -> Iterator[type[domain.IoTSphereError]]:
    for each in error.__subclasses__():
        yield each
        yield from _tree(each)


def test_each_code_is_documented():
    """Clients find every code, of errors and of rejected rows, with what to do about it."""
    page = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
    codes = {each.code for each in _tree(domain.IoTSphereError)}
    codes |= {errors.PARSE_FAILED, errors.VALIDATION_FAILED, errors.BAD_REQUEST, errors.INTERNAL}
    codes |= {errors.PERSISTED_NOT_FOUND, errors.PERSISTED_NOT_SUPPORTED, errors.NOT_TRUSTED}
    codes |= {value for name, value in vars(reading_checks).items() if name.isupper() and isinstance(value, str)}
    assert len(codes) >= 19
    assert sorted(code for code in codes if f"| `{code}` |" not in page) == []


def test_each_code_of_a_row_is_named_in_the_schema():
    """The description of the rejected rows lists all the codes that there are."""
    payload = CORE.type_map["RecordReadingsPayload"]
    assert isinstance(payload, GraphQLObjectType)
    description = payload.fields["rejected"].description or ""
    codes = {value for name, value in vars(reading_checks).items() if name.isupper() and isinstance(value, str)}
    assert sorted(code for code in codes if code not in description) == []


def test_codes_are_told_apart():
    """One code has one meaning."""
    codes = [each.code for each in _tree(domain.IoTSphereError) if "code" in vars(each)]
    assert len(codes) == len(set(codes))


def test_package_names_are_nobody_elses():
    """The five names are general; nothing that is installed may have one of them."""
    installed = importlib.metadata.packages_distributions()
    assert {name: installed[name] for name in PACKAGES if set(installed.get(name, ())) - {"iotsphere"}} == {}


def test_the_snapshot_is_the_schema():
    """A change of the schema is seen in the change of this file; `make schema` writes it."""
    assert (ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8") == print_schema()
