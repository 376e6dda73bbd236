"""validate_json.py SCHEMA FILE...: prints what in each file is not as the JSON schema has it, and nothing if all is."""
import json
import sys

import jsonschema

with open(sys.argv[1]) as schema_file:
    schema = json.load(schema_file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
for path in sys.argv[2:]:
    with open(path) as file:
        for error in validator.iter_errors(json.load(file)):
            context = [c.message[:200] for c in error.context][:4]
            print(path, list(error.absolute_path), error.message[:300], context)
