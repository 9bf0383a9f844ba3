"""Ports in other languages: judged through a pipe, by a line protocol (docs/ports.md).

`bits`, `protocol` and `answers` are the messages, `process` and `port` the other side,
`ask` what is asked, `values`, `checks`, `causes` and `harness` the verdict.
"""
