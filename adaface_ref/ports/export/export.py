"""Writes the spec as source of other languages, with a port to be judged."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path

from adaface_ref.errors import DomainError
from adaface_ref.files import write_folder
from adaface_ref.ports.export import languages
from adaface_ref.ports.export.language import Language, Row
from adaface_ref.ports.export.languages import LANGUAGES
from adaface_ref.ports.export.stable import QUANTITIES, function_of, profiles_of
from adaface_ref.spec.losses import LOSSES
from adaface_ref.spec.profiles import is_defined, parse


def export(language: str, folder: Path, more: Iterable[str] = ()) -> list[Path]:
    """Write the source of every loss and profile.

    Args:
        language: one of LANGUAGES.
        folder: where; it is made if it is not there.
        more: further profiles, where they are defined.

    Returns:
        The files written.

    Raises:
        DomainError: an unknown language or profile, or a folder that cannot be written.
    """
    return write_folder(folder, texts_of(language, more), "export")


def texts_of(language: str, more: Iterable[str] = ()) -> dict[str, str]:
    """The source of every loss and profile.

    Args:
        language: one of LANGUAGES.
        more: further profiles, where they are defined.

    Returns:
        The files by name.

    Raises:
        DomainError: an unknown language or profile.
    """
    profiles = tuple(map(_canonical, more))
    return language_of(language).texts(rows_of(profiles))


def language_of(name: str) -> Language:
    """A language by its name.

    Args:
        name: one of LANGUAGES.

    Raises:
        DomainError: there is none of that name.
    """
    if name not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise DomainError(f"language={name}, but must be one of {known} [export]")
    found: Language = import_module(f"{languages.__name__}.{name}").LANGUAGE
    return found


def _canonical(profile: str) -> str:
    try:
        parsed = parse(profile)
    except ValueError as error:
        raise DomainError(f"{error} [export]") from None
    if not any(is_defined(row, parsed) for row in LOSSES.values()):
        must = "defined for a loss"
        raise DomainError(f"profile={profile}, but must be {must} [export]")
    return str(parsed)


def rows_of(more: tuple[str, ...] = ()) -> list[Row]:
    """Every function, loss by loss and profile by profile.

    Args:
        more: further profiles, where they are defined.

    Returns:
        The rows.
    """
    return [
        (loss, profile, quantity, function_of(quantity, loss, profile))
        for loss in LOSSES
        for profile in profiles_of(loss, more)
        for quantity in QUANTITIES
    ]
