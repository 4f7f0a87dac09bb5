"""Holds UWS documents against the schema: validate.py SCHEMAS FILE ... ; a line for each fault."""
import sys

import xmlschema

folder, files = sys.argv[1], sys.argv[2:]
schema = xmlschema.XMLSchema10(
    folder + "/UWS-v1.1.xsd",
    locations={"http://www.w3.org/1999/xlink": folder + "/xlink.xsd"},
    allow="local",
)
faults = 0
for file in files:
    for error in schema.iter_errors(file):
        faults += 1
        print(f"{file}: {error.path}: {error.reason}")
print(f"{len(files)} documents, {faults} faults")
sys.exit(1 if faults else 0)
