"""The checks of behaviour as rows: id, claim, check, severity, effort, explanation."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import NamedTuple

import torch

from adaface_ref.gate.checks.batches import (
    batch_permutation,
    class_permutation,
    deterministic,
    eval_pure,
    rows_independent,
)
from adaface_ref.gate.checks.ignored_labels import label_ignored
from adaface_ref.gate.checks.machines import autocast, compiled, cpu_against_cuda
from adaface_ref.gate.checks.precision import dtype_kept, narrow_dtypes, scale_overflow
from adaface_ref.gate.checks.training import (
    norm_held_constant,
    reduction,
    weights_normalised,
)
from adaface_ref.gate.measured.evidence import Evidence, Result

Run = Callable[[Evidence, str], Result]


def on_one_thread(check: Run) -> Run:
    """A check run on one thread: batches of some rows wait longer for a second."""

    @wraps(check)
    def run(evidence: Evidence, claim: str) -> Result:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            return check(evidence, claim)
        finally:
            torch.set_num_threads(threads)

    return run


class Row(NamedTuple):
    """The fields of a Check."""

    id: str
    claim: str
    run: Run
    severity: str
    effort: str
    explanation: str


ROWS = (
    Row("rows-independent",
        "A row's logits and GST do not depend on the other rows of its batch.",
        rows_independent, "error", "quick",
        "The loss of a sample is a function of that sample alone, statistics apart, "
        "which are held still here. It breaks where a mean, a maximum or a norm is "
        "taken over the batch, or where a margin of shape (B,) is broadcast against "
        "(B, C): with as many rows as classes, samples then get each other's margin "
        "without a word. Reduce over dim=1, and give margins the shape (B, 1)."),
    Row("batch-permutation",
        "Rows in another order give the same values in that order.",
        batch_permutation, "error", "quick",
        "A loader shuffles, so a row's place must mean nothing. It breaks where an "
        "index of rows is taken for a label, or where a part of the batch is treated "
        "in another way. Index with (arange(B), labels), and with nothing else."),
    Row("class-permutation",
        "Classes in another order give the same values in that order.",
        class_permutation, "error", "quick",
        "Class numbers are names. It breaks where class 0 or the last one stands for "
        "background or padding, or where sums leave a class out. CurricularFace's hard "
        "classes are chosen by their cosine, so the same holds for it. Treat all "
        "columns alike, the label's own apart."),
    Row("deterministic", "The same input gives the same bits twice.",
        deterministic, "error", "quick",
        "A run that cannot be repeated cannot be debugged, and a verdict on a random "
        "head holds for one draw only. It breaks by dropout or noise that is on in "
        "eval mode, and by torch.empty that is read before it is written. Draw random "
        "margins in training mode only, where self.training says so."),
    Row("eval-pure", "In eval mode nothing that the head holds moves.",
        eval_pure, "error", "quick",
        "Validation must not change what is trained. AdaFace's official head updates "
        "its running mean and deviation of norms in eval mode too, so that the order "
        "and number of validation batches change the margins of the training that "
        "follows, and a batch of one poisons them. Update statistics under "
        "`if self.training:`. Where they move nevertheless, the gate puts them back "
        "after each reading; wrong values of the margin may follow from that fault."),
    Row("label-ignored",
        "A row with label -1 does not train, or is refused with an exception.",
        label_ignored, "error", "quick",
        "Label -1 marks rows to be ignored, such as those of classes that another rank "
        "holds. An index of -1 is the last class to Python and torch, so a head that "
        "writes its margin at cosine[arange(B), labels] margins that class in silence. "
        "Either leave such rows without margin and gradient, and other rows as they "
        "were, or refuse them with an exception; both pass."),
    Row("weights-normalised",
        "The lengths of class weights, and of embeddings, change nothing.",
        weights_normalised, "error", "quick",
        "These losses are functions of angles. Without normalised weights a class with "
        "a long weight wins whatever the angle is. It breaks where "
        "torch.nn.functional.normalize is missing or has the wrong dim. Embeddings are "
        "lengthened only where the length has no meaning: not for AdaFace and MagFace, "
        "nor where norms are given beside embeddings."),
    Row("reduction",
        "The loss is the mean, the sum or one value for each row of -ln P.",
        reduction, "error", "quick",
        "The reduction sets the learning rate that a batch sees. It is found from what "
        "the loss is for one row and for two, then compared with the reference. It "
        "breaks by a mean over (B, C), which divides by the classes, or by a division "
        "by the batch on top of a mean. Use cross_entropy's own reduction."),
    Row("scale-overflow",
        "At a large scale, and in float16, logits, loss and gradient are finite.",
        scale_overflow, "error", "quick",
        "exp(89) is infinite in float32, exp(12) in float16. A softmax written out by "
        "hand works at s = 64 until a sample is easy enough. The head is built anew "
        "with s = 256 and 512 where it takes a scale. Use cross_entropy, logsumexp or "
        "log_softmax, which take the row's maximum off first."),
    Row("narrow-dtypes",
        "In float16 and bfloat16 logits and gradients are finite, at poles too.",
        narrow_dtypes, "error", "quick",
        "A clamp to 1 - 1e-7 is a clamp to 1 in half precision, where the derivative "
        "of acos is infinite; one NaN ends a training run. Clamp by "
        "torch.finfo(dtype).eps, or compute the margin in float32. It is a warning "
        "unless the dtype is asked for with --dtype."),
    Row("dtype-kept", "Logits are no narrower than the cosines.",
        dtype_kept, "error", "quick",
        "Logits of 64 have an error of 0.25 in bfloat16, more than what a margin "
        "does. float64 that comes back as float32 is a warning; less than float32 for "
        "wider cosines is an error. It breaks by .half() or by a table in a fixed "
        "dtype. Cast to the wider of the cosines' dtype and float32."),
    Row("norm-held-constant",
        "The norm's gradient is 0 for AdaFace, and the reference's for MagFace.",
        norm_held_constant, "error", "quick",
        "AdaFace holds its margin scaler constant: dL/dx . x = 0. With the norm in "
        "the graph, training lowers norms to make its task easier. In MagFace the "
        "norm's own gradient is the point: the margin's slope in the norm, and the "
        "regulariser lambda_g (1/u_a^2 - 1/a^2) where the head returns a loss that "
        "holds it. Detach norms in the one, and nothing in the other."),
    Row("cpu-against-cuda", "CPU and CUDA give the same values.",
        cpu_against_cuda, "error", "quick",
        "A head that is tested on a CPU trains on a GPU. Matrix products in TF32 keep "
        "ten bits, and a tensor made on the wrong device or never filled shows only "
        "there. It needs a CUDA device, and says so where there is none."),
    Row("torch-compile", "torch.compile changes no value.",
        compiled, "error", "thorough",
        "A compiled head must be the head. It breaks where forward sets Python numbers "
        "that the compiler takes for constants, or where a branch asks whether it is "
        "being compiled. Keep what changes in buffers, and branch with torch.where."),
    Row("autocast",
        "Under autocast the result is finite and no narrower than bfloat16.",
        autocast, "error", "thorough",
        "Mixed precision hands the head cosines of eight bits. It breaks where acos "
        "meets a cosine that was rounded to 1, or a value is written into a tensor of "
        "another dtype. Turn autocast off around the margin, and compute in float32."),
)  # fmt: skip
"""All of them, in the order of the report."""

BEHAVIOUR = tuple(row._replace(run=on_one_thread(row.run)) for row in ROWS)
"""The same, as the gate runs them."""
