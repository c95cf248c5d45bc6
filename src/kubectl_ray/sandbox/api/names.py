"""Which names, label keys and label values Kubernetes takes, and what it says of those that it does not.

Source: apimachinery, `pkg/api/validate/content`; the texts are v1.36's (which says "characters" of names and "bytes"
of labels).
"""

from __future__ import annotations

import re

LABEL_FORM = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
SUBDOMAIN_FORM = rf"{LABEL_FORM}(\.{LABEL_FORM})*"
OLD_LABEL_FORM = "[a-z]([-a-z0-9]*[a-z0-9])?"
KEY_FORM = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
VALUE_FORM = f"({KEY_FORM})?"
LONGEST_NAME, LONGEST_LABEL = 253, 63

SUBDOMAIN_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{SUBDOMAIN_FORM}')"
)
LABEL_RULE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    f" an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL_FORM}')"
)
OLD_LABEL_RULE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    " and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    f" '{OLD_LABEL_FORM}')"
)
_KEY_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
    f" (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{KEY_FORM}')"
)
VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    " end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '{VALUE_FORM}')"
)

_SUBDOMAIN = re.compile(SUBDOMAIN_FORM, re.ASCII)
_LABEL = re.compile(LABEL_FORM, re.ASCII)
_OLD_LABEL = re.compile(OLD_LABEL_FORM, re.ASCII)
_KEY = re.compile(KEY_FORM, re.ASCII)


def subdomain_errors(name: str, *, unit: str = "characters") -> list[str]:
    """What is wrong with a name of most kinds."""
    errors = [] if len(name) <= LONGEST_NAME else [f"must be no more than {LONGEST_NAME} {unit}"]
    return errors if _SUBDOMAIN.fullmatch(name) else [*errors, SUBDOMAIN_RULE]


def label_errors(name: str, *, unit: str = "characters") -> list[str]:
    """What is wrong with a name of a service, a namespace or a container."""
    errors = [] if len(name) <= LONGEST_LABEL else [f"must be no more than {LONGEST_LABEL} {unit}"]
    if _LABEL.fullmatch(name):
        return errors
    return [*errors, "must not contain dots" if _SUBDOMAIN.fullmatch(name) else LABEL_RULE]


def old_label_errors(name: str) -> list[str]:
    """What is wrong with a name by the older rule, which wants a letter first (KubeRay's own check)."""
    errors = [] if len(name) <= LONGEST_LABEL else [f"must be no more than {LONGEST_LABEL} characters"]
    return errors if _OLD_LABEL.fullmatch(name) else [*errors, OLD_LABEL_RULE]


def path_errors(name: str) -> list[str]:
    """What is wrong with a name that only has to fit into a URL: roles and their bindings."""
    if name in {".", ".."}:
        return [f"may not be '{name}'"]
    return [f"may not contain '{each}'" for each in ("/", "%") if each in name]


def key_errors(key: str) -> list[str]:
    """What is wrong with a label's, an annotation's or a finalizer's key."""
    parts = key.split("/")
    if len(parts) > 2:  # noqa: PLR2004 - a prefix and a name
        example = " with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
        return [f"a valid label key {_KEY_RULE}{example}"]
    errors = []
    if len(parts) > 1:
        wrong = subdomain_errors(parts[0], unit="bytes") if parts[0] else ["must be non-empty"]
        errors = [f"prefix part {each}" for each in wrong]
    name = parts[-1]
    if not name:
        errors.append("name part must be non-empty")
    elif len(name) > LONGEST_LABEL:
        errors.append(f"name part must be no more than {LONGEST_LABEL} bytes")
    return errors if _KEY.fullmatch(name) else [*errors, f"name part {_KEY_RULE}"]


def value_errors(value: str) -> list[str]:
    """What is wrong with a label's value."""
    errors = [] if len(value.encode()) <= LONGEST_LABEL else [f"must be no more than {LONGEST_LABEL} bytes"]
    return errors if not value or _KEY.fullmatch(value) else [*errors, VALUE_RULE]
