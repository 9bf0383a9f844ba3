"""Says what the arguments of somebody's constructor or forward mean, by their names."""

from __future__ import annotations

import inspect
import itertools
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass, replace
from types import MappingProxyType
from typing import Any

from adaface_ref.gate.guarding.errors import TargetError
from adaface_ref.gate.guarding.guard import calling

CONSTRUCTOR: dict[str, tuple[str, ...]] = {
    "scale": ("scale", "s", "gamma", "s_", "logit_scale", "scale_factor", "radius"),
    "temperature": ("temperature", "temp", "tau"),
    "margin": ("margin", "m", "m_", "angular_margin", "additive_margin"),
    "concentration": ("concentration", "h"),
    "multiplier": ("multiplier", "m1", "q"),
    "angular_offset": ("angular_offset", "m2"),
    "additive_offset": ("additive_offset", "m3"),
    "curriculum": ("curriculum",),
    "easy_margin": ("easy_margin", "easy"),
    "new_batch_weight": ("new_batch_weight", "t_alpha"),
    "feature_norm": ("feature_norm",),
    "norm_lower": ("norm_lower", "l_a"),
    "norm_upper": ("norm_upper", "u_a"),
    "margin_lower": ("margin_lower", "l_margin"),
    "margin_upper": ("margin_upper", "u_margin"),
    "regulariser_weight": ("regulariser_weight", "lambda_g"),
    "classes": (
        "classes", "num_classes", "n_classes", "nb_classes", "nClasses", "num_class",
        "classnum", "class_num", "class_dim", "num_labels", "n_labels", "out_features",
        "output_dim", "out_dim", "num_ids", "num_identities", "num_subjects",
        "num_speakers", "n_speakers", "speaker_num", "spk_num", "n_class", "nclass",
        "nclasses", "nb_class", "cls_num", "num_cls", "nout", "n_out", "output_size",
        "output_classes", "out_feature", "out_size", "class_number", "number_classes",
        "total_classes", "num_identity", "id_num", "C",
    ),
    "embedding_size": (
        "embedding_size", "embedding_dim", "embed_dim", "emb_dim", "emb_size",
        "in_features", "input_dim", "in_dim", "in_feats", "in_feat", "feat_dim",
        "feature_dim", "feat_size", "feature_size", "num_features", "nOut", "dim",
        "hidden_dim", "hidden_size", "input_size", "in_feature", "in_size", "n_in",
        "nin", "feats_dim", "features_dim", "embed_size", "embedding_features",
        "latent_dim", "d_model", "D",
    ),
    "dtype": ("dtype",),
    "device": ("device",),
    "profile": ("profile",),
    "loss": ("loss",),
}  # fmt: skip
"""What a constructor's argument means."""

MEANT = {name: meaning for meaning, row in CONSTRUCTOR.items() for name in row}
"""The same, by the argument's name."""

ONLY_IF_ASKED = frozenset({"easy_margin"})
"""Meanings that are a head's own choice: given only where it has no default."""

SYNONYMS: dict[tuple[str, str], str] = {
    ("arcface", "angular_offset"): "margin",
    ("curricularface", "angular_offset"): "margin",
    ("cosface", "additive_offset"): "margin",
    ("sphereface", "margin"): "multiplier",
}
"""What a combined margin's arguments, or SphereFace's margin, are in each loss."""

FORWARD: dict[str, tuple[str, ...]] = {
    "embeddings": (
        "embeddings", "embedding", "embbedings", "embeds", "features", "feature",
        "feats", "feat", "hidden_states", "x", "input", "inputs",
    ),
    "cosine": ("cosine", "cosines", "cos", "cos_theta", "logits", "similarity"),
    "labels": ("labels", "label", "targets", "target", "gt", "y", "y_true", "ids"),
    "weights": (
        "weight", "weights", "class_weight", "class_weights", "linear_weight", "kernel",
        "W", "w", "centers", "centres", "prototypes", "proxies",
    ),
    "norms": ("norms", "norm", "feature_norms", "feature_norm"),
    "margin_scaler": ("margin_scaler",),
}  # fmt: skip
"""What a forward's argument means; a constructor's names are known there, too."""

VAGUE = {"x", "input", "inputs"}
"""Names of embeddings, and of cosines where a head has no weights."""

OF_COSINES = {
    **FORWARD,
    "embeddings": tuple(name for name in FORWARD["embeddings"] if name not in VAGUE),
    "cosine": (*FORWARD["cosine"], *sorted(VAGUE)),
}
"""What the arguments of a head that is given cosines mean."""

BUILDING = "building the head"
"""What is done when a constructor or a factory is called."""

BY_PLACE = ("cosine", "labels", "norms")
"""What unnamed arguments of a forward mean."""


@dataclass(frozen=True)
class Call:
    """A call to make: each argument's name and what it means.

    Args:
        meanings: argument name to meaning.
        by_place: names that are given by position, as long as each before has a value.
        extra: arguments that the user gave, passed as they are.
        settings: arguments that are a dataclass of settings, and how each is made.
    """

    meanings: Mapping[str, str]
    by_place: tuple[str, ...]
    extra: Mapping[str, object]
    settings: Mapping[str, tuple[type, Call]] = field(default_factory=dict)

    def has(self, meaning: str) -> bool:
        """Whether an argument has this meaning."""
        inner = any(call.has(meaning) for _, call in self.settings.values())
        return inner or meaning in self.meanings.values()

    @property
    def mapped(self) -> frozenset[str]:
        """What its arguments mean, settings within settings included."""
        inner = (call.mapped for _, call in self.settings.values())
        return frozenset(self.meanings.values()).union(*inner)

    def arguments(self, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
        """Positional and named arguments, from values by meaning."""
        named = {n: values[m] for n, m in self.meanings.items() if m in values}
        known = itertools.takewhile(named.__contains__, self.by_place)
        places = [named.pop(name) for name in list(known)]
        extra = {name: _filled(given, values) for name, given in self.extra.items()}
        made = {
            name: kind(**call.arguments(values)[1])
            for name, (kind, call) in self.settings.items()
        }
        return places, {**named, **made, **extra}

    def source(self, name: str, values: Mapping[str, str]) -> str:
        """The call as source text, from source texts by meaning."""
        places, named = replace(self, settings={}).arguments(values)
        shown = []
        for argument, (_, call) in self.settings.items():
            hints = f"__import__('typing').get_type_hints({name}.__init__)"
            shown.append(f"{argument}=" + call.source(f"{hints}[{argument!r}]", values))
        for argument, value in named.items():
            own = argument in self.extra and value is self.extra[argument]
            shown.append(f"{argument}={value!r}" if own else f"{argument}={value}")
        return f"{name}({', '.join([*places, *shown])})"


def _filled(given: object, values: Mapping[str, Any]) -> object:
    """A user's argument, `{classes}` and `{embedding_size}` being what is built for."""
    name = given[1:-1] if isinstance(given, str) else ""
    is_place = name in ("classes", "embedding_size") and given == f"{{{name}}}"
    return values[name] if is_place else given


def parameters_of(subject: Callable[..., object]) -> list[inspect.Parameter]:
    """The arguments of a callable; a torch module's are those of its forward.

    Args:
        subject: a class (its constructor), a module, a function.

    Returns:
        Its arguments, without self.

    Raises:
        TargetError: Python cannot tell.
    """
    subject = getattr(subject, "_orig_mod", subject)  # of what torch.compile made
    forward = getattr(subject, "forward", None)
    if inspect.isclass(subject):
        return _of_constructor(subject)
    if hasattr(forward, "schema"):
        return _of_script(forward)
    try:
        return list(inspect.signature(forward or subject).parameters.values())
    except (TypeError, ValueError):
        raise TargetError(
            f"target={subject!r}, but must have a signature [gate]"
        ) from None


def _resolved(function: Callable[..., object]) -> list[inspect.Parameter]:
    """A function's arguments, their annotations looked up where they can be."""
    parameters = list(inspect.signature(function).parameters.values())
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # a name that is not there at run time
        return parameters
    return [p.replace(annotation=hints.get(p.name, p.annotation)) for p in parameters]


def _of_script(forward: Any) -> list[inspect.Parameter]:
    """The arguments of a scripted module's forward, self left out."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return [
        inspect.Parameter(
            argument.name,
            kind,
            default=argument.default_value
            if argument.has_default_value()
            else inspect.Parameter.empty,
        )
        for argument in forward.schema.arguments[1:]
    ]


def _of_constructor(subject: type) -> list[inspect.Parameter]:
    """A constructor's arguments, and its parents' as long as ** hands them on."""
    found: dict[str, inspect.Parameter] = {}
    for base in inspect.getmro(subject):
        if base.__module__.startswith("torch.") or "__init__" not in vars(base):
            continue
        if base is object:
            break
        here = _resolved(vars(base)["__init__"])[1:]
        stars = {p.kind: p for p in here if p.kind in STARS}
        plain = {p.name: p for p in here if p.kind not in STARS}
        found = {n: p for n, p in found.items() if p.kind not in STARS}
        found = {**plain, **found, **{p.name: p for p in stars.values()}}
        if inspect.Parameter.VAR_KEYWORD not in stars:
            break
    return list(found.values())


STARS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def bind(
    parameters: Sequence[inspect.Parameter],
    table: Mapping[str, tuple[str, ...]],
    given: Mapping[str, object],
    *,
    places: tuple[str, ...] = (),
    keywords: Mapping[str, str] = MappingProxyType({}),
) -> Call:
    """Map arguments to meanings, by name, then by place.

    Args:
        parameters: the callable's arguments.
        table: meaning to names.
        given: the user's own arguments; those that the callable names are passed on.
        places: meanings of required arguments whose names say nothing.
        keywords: names and meanings for a callable that takes any keyword; the user's
            own arguments go there, too.

    Returns:
        The call.

    Raises:
        TargetError: a required argument means nothing that is known here.
    """
    names = {name: meaning for meaning, row in table.items() for name in row}
    meanings: dict[str, str] = {}
    extra: dict[str, object] = {}
    settings: dict[str, tuple[type, Call]] = {}
    for parameter in parameters:
        name = parameter.name
        if parameter.kind in STARS:
            continue
        kind = _settings_of(parameter)
        if kind is not None and name not in given:
            inner = list(inspect.signature(kind).parameters.values())
            settings[name] = kind, bind(inner, table, given)
            continue
        free = [p for p in places if p not in meanings.values()]
        known = names.get(name)
        if name in given:
            extra[name] = given[name]
        elif known in ONLY_IF_ASKED and parameter.default is not parameter.empty:
            continue
        elif known is not None and known not in meanings.values():
            meanings[name] = known
        elif parameter.default is parameter.empty:
            if not free:
                raise TargetError(
                    f"argument {name} of the target has no known meaning: "
                    f"give it with --arg {name}=value [gate]"
                )
            meanings[name] = free[0]
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        known_names = {*meanings, *extra}
        bound = {*known_names, *meanings.values()}
        bound |= {"scale"} if "temperature" in bound else set()
        meanings |= {n: m for n, m in keywords.items() if n not in bound}
        extra |= {n: v for n, v in given.items() if n not in known_names}
    # As callers give them, for hooks that look at them: values of rows by position.
    by_place = itertools.takewhile(
        lambda p: (
            p.kind is p.POSITIONAL_ONLY
            or (p.kind is p.POSITIONAL_OR_KEYWORD and meanings.get(p.name) in FORWARD)
        ),
        parameters,
    )
    return Call(meanings, tuple(p.name for p in by_place), extra, settings)


def _settings_of(parameter: inspect.Parameter) -> type | None:
    """The dataclass that an argument is, or None."""
    for found in (parameter.annotation, type(parameter.default)):
        if isinstance(found, type) and is_dataclass(found):
            return found
    return None


def run(doing: str, subject: Callable[..., Any], call: Call, values: Any) -> Any:
    """Make a call of somebody's code; an exception becomes a SubjectError."""
    places, named = call.arguments(values)
    with calling(doing):
        return subject(*places, **named)
