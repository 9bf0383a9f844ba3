"""Ports in other languages: judged through a pipe, by a line protocol (docs/ports.md).

`bits` and `protocol` are the messages, `process` and `port` the other side, `ask` what
is asked, `checks`, `causes` and `harness` the verdict.
"""
