"""Documents that annotations are written in, as plain data: JSON, YAML and XML, each fault a sentence. Nothing in them is ever run."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any
from xml.parsers import expat

from vicinal.core.errors import DataError
from vicinal.data.files import as_utf8


def json_of(path: Path) -> Any:
    """What stands in a JSON file."""
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        write = f"what 'python -m json.tool {path}' accepts"
        raise DataError(str(path), "a JSON document", str(error) or "one nested too deeply", write) from None


def yaml_of(path: Path) -> Any:
    """What stands in a YAML file: plain data alone."""
    import yaml

    try:
        return yaml.safe_load(text_of(path))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DataError(str(path), "a YAML document of plain data", " ".join(str(error).split())[:200], "names: [cat, dog], say") from None


def text_of(path: Path) -> str:
    """The text of a file in UTF-8."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise DataError(str(path), "text in UTF-8", "other bytes", as_utf8(path)) from None


def xml_of(path: Path) -> ET.Element:
    """The root of an XML file. A document type, in which entities could be declared that swell when they are read, is refused."""

    def refuse(*_: Any) -> None:
        raise DataError(str(path), "XML without a document type", "<!DOCTYPE", "the file without it")

    tree, parser = ET.TreeBuilder(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = tree.start, tree.end, tree.data
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(path.read_bytes(), True)
    except (expat.ExpatError, ValueError) as error:
        raise DataError(str(path), "an XML document", str(error), "a whole one, <annotation>...</annotation>") from None
    return tree.close()
