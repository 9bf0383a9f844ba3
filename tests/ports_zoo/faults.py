"""Each misbehaviour of numpy_port, and the words with which it must be told."""

from __future__ import annotations

CONVERSATION = {
    "crash": "ended by SIGABRT",
    "leave": "ended with exit code 4 without an answer",
    "hang": "no answer within 2 s",
    "deaf": "closed its end of the pipe",
    "garbage": "not JSON: the line 'Hello, world!'",
    "binary": "not UTF-8",
    "endless": "bytes, which no answer needs",
    "stale": "id=0, but must be 1",
    "twice": "",  # one answer too many: told by its id, or as speech before its time
    "few": "values.logit has 1086 values, but must be 1087",
    "many": "values.logit has 2174 values, but must be 1087",
    "unknown-field": "unknown field 'took'",
    "wrong-type": "type='answer'",
    "id-as-text": "id='1', but must be 1",
    "values-as-list": "values=[], but must be an object",
    "numbers": "but must be a string of hexadecimal digits",
    "upper-case": "must be lower-case hexadecimal digits",
    "half-a-line": "in the middle of the line",
    "two-keys": "a key stands twice",
    "nothing": "announces no loss with a profile",
    "no-profile": "announces no loss with a profile",
    "no-dtype": "announces no dtype",
    "no-quantity": "announces no quantity",
    "unknown-loss": "losses: 'cosineface', but must be of",
    "unknown-profile": "losses.adaface: profile='round'",
    "undefined-profile": "losses.normface: 'fallback', but must be one that is defined",
    "unknown-dtype": "dtypes: 'float16', but must be of",
    "unknown-quantity": "quantities: 'hessian', but must be of",
    "protocol-2": "protocol=2, but must be 1",
    "nameless": "name='', but must be a text",
    "talkative": "unknown field 'author'",
    "never-reads": "at hello: no answer within 2 s",
    "stays": "no answer within 2 s",
    "stays-after-bye": "did not leave after bye",
    "bad-exit": "ended with exit code 5 after bye",
}
"""By fault: exit code 3, and these words."""

REFUSALS = {"refuse": "the port answers an error: out of memory"}
"""The conversation goes on; nothing is judged all the same."""

VALUES = {
    "target-logit": "wrong-sign",
    "slope": "scaled-slope",
    "probability": "complement",
    "target-gst": "wrong-sign",
    "other-logit": "bare-other-logit",
    "other-gst": "bare-other-gst",
    "loss-value": "rounded-loss",
    "norm-gradient": "without-regulariser",
    "poles": "nan-at-poles",
    "repeatable": "forgetful",
    "one-by-one": "lonely",
}
"""By check: a fault that it fails for, with exit code 1."""

CELLS = {"without-regulariser": "magface=clip"}
"""What a port announces to show its fault, where that is not adaface=pure."""

PLANTED = {"protocol": "crash", **VALUES}
"""A fault for each check of ports."""
