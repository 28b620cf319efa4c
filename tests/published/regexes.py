"""Reads the schemas beside it with jsonschema-rs, whose regular expressions are here a linear engine's, as RE2's."""

import json
import sys
from pathlib import Path

from jsonschema_rs import Draft202012Validator, RegexOptions

examples, faults = 0, []
for file in sorted(Path("schemas").glob("*.json")):
    schema = json.loads(file.read_text())
    valid = Draft202012Validator(schema, pattern_options=RegexOptions(), validate_formats=True)
    for example in schema["examples"]:
        examples += 1
        faults += [] if valid.is_valid(example) else [file.name]
print(f"{examples} examples, {len(faults)} refused")
sys.exit(bool(faults) or not examples)
