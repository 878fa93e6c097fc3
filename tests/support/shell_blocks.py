"""The commands that the documentation names, in fenced blocks of shell and in spans of code."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")])

FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"(?:[A-Z_]+=\S* )*(?:realart|dvc|make|python -m benchmarks\.\w+)\b(?![./:-])")
ENDS = ("&", "&&", "|", "||", ";", ">", ">>")
"""Tokens of a shell that end a command's arguments."""


def shell_blocks(page: Path) -> list[str]:
    """Return the blocks of shell of a page."""
    return [block for language, block in FENCE.findall(page.read_text("utf-8")) if language == "sh"]


def commands(block: str, variables: dict[str, str]) -> Iterator[list[str]]:
    """Yield the tokens of each command; remember what variables are set to, and put it in."""
    for line in block.replace("\\\n", " ").splitlines():
        if assigned := re.match(r'(?:export )?([A-Z_]+)="([^"]*)"$', line):
            name, value = assigned.groups()
            variables[name] = Template(value).safe_substitute(variables)
        if not COMMAND.search(line):
            continue
        lexer = shlex.shlex(
            Template(line).safe_substitute(variables), posix=True, punctuation_chars="&|;>"
        )
        lexer.whitespace_split, lexer.commenters = True, "#"
        command: list[str] = []
        for token in [*_words(lexer), ";"]:
            if token not in ENDS:
                command.append(token)
                continue
            while command and re.match(r"[A-Z_]+=", command[0]):
                del command[0]
            if command and COMMAND.match(" ".join(command)):
                yield command
            command = []


def _words(lexer: shlex.shlex) -> Iterator[str]:
    """Yield tokens; a placeholder such as <name> stays whole, though > ends a command."""
    opened = ""
    for token in lexer:
        if opened or (token.count("<") > token.count(">")):
            opened += token
            if token.count(">"):
                yield opened
                opened = ""
        else:
            yield token
