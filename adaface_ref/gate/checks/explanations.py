"""What `gate --explain` says: why a check matters, what breaks it, how to mend it."""

from __future__ import annotations

EXPLANATIONS = {
    "profile": """
        Public heads agree with the formula in the core and depart outside it in one
        of a few known ways: a fallback past theta = pi - m, an easy margin, a clamp
        of the cosines. The gate finds the one that explains every probe. A head
        that fits none has a wrong value somewhere: a margin in the wrong unit, a
        wrong sign, a clamp that is too wide. Where a profile is pinned, the head
        must have that one, so that an upgrade cannot change the rule unseen. Look
        at the first probe that departs, or pin the profile that you mean.""",
    "own-gradient": """
        A margin that is computed without gradient, or written in place into
        detached logits, leaves the forward right and the slope D at 1 everywhere:
        training then follows another loss than the one that is printed. Some
        maintainers do it deliberately. Compute the margined logit with autograd on
        and choose it with torch.where; or, where it is meant, pin the profile
        (--profile fallback:detached) or put accept = ["detached"] into the
        configuration.""",
    "target-logit": """
        The logit of a row's own class, scaled and with its margin, is what the
        softmax sees. A wrong sign of the angle, degrees for radians, a scale
        applied before the additive margin, or swapped branches show here. Only the
        certified oracle can condemn a value, and only past a tolerance that
        textbook code keeps. Compare the inputs of the failure with the formula of
        the loss (adaface-ref evaluate).""",
    "other-logit": """
        Every other class must get s times its cosine (CurricularFace's hard ones
        excepted). It breaks when the margin is put on all classes, when the scale
        is left out on the others, or when a one-hot is shifted. Apply the margin to
        the label's column only, and the scale to the whole matrix afterwards.""",
    "target-gst": """
        The gradient scaling term (P - 1) df/dc of the own class is the push that
        training applies. It breaks while the logit is right when something is
        detached, clamped or straight-through, when a sine is made safe in the
        forward only, or when a loss uses P for P - 1. Differentiate what the
        forward computes.""",
    "other-gst": """
        Each other class is pushed away by P_j df_j/dc_j. It breaks when the other
        columns are detached, or when the loss's own reduction or softmax is not
        that of cross-entropy. Let the gradient pass through the whole matrix of
        logits.""",
    "poles-target": """
        In single precision about a third of all products of a unit vector with
        itself give a cosine of exactly 1, and over a quarter give more. The
        derivative of acos and of sqrt(1 - c^2) is infinite there and NaN beyond,
        and one NaN ruins every weight. A clamp to exactly [-1, 1] does not help.
        Clamp to [-1 + eps, 1 - eps], or take the sine from sqrt((1 - c)(1 + c))
        with a floor above 0.""",
    "poles-other": """
        The same at the cosines of the classes that get no margin: a head that takes
        acos of the whole matrix and selects with torch.where still sends NaN
        through the branch that it throws away, since 0 times infinity is NaN. Take
        acos of the label's column only, or clamp before it.""",
    "inputs-untouched": """
        A head that writes into its cosines, labels or norms changes what the caller
        goes on to use, for an accuracy or a second loss, and can break autograd. It
        comes from operations in place on the argument, such as cosine[rows, labels]
        -= m. Write to a clone.""",
    "margin-has-effect": """
        A margin that cancels out, or is put on a copy that is then thrown away,
        leaves plain softmax: training runs and says nothing. The target logit must
        differ from s c where the formula says so. Check that the margined logits
        are the ones returned.""",
    "invariant-1": """
        At a fixed angle the push must vanish as the sample gets easy, P going to 1.
        It breaks when the GST is made from P, when P - 1 is formed with
        cancellation, or when a regulariser is added that does not vanish. Use
        cross-entropy on logits.""",
    "invariant-2": """
        For a positive angular margin |GST| rises with the cosine exactly where
        sign(D) (sin a - P s sin(theta) sin(theta + a)^2) is positive, and falls
        elsewhere. A head that breaks it weighs hard and easy samples other than the
        paper says: mostly a margin of the wrong sign or a wrong scale.""",
    "invariant-3": """
        A GST above 0 pushes a sample away from its own class. In the printed
        AdaFace formula that happens for high norms near c = 1, and in ArcFace past
        theta = pi - m; `clip` and the fallbacks avoid it. Where the profile itself
        has it so, this is a warning; anywhere else the margin's sign is wrong. To
        be rid of it choose a profile without it; to keep it, accept =
        ["sign-change"].""",
    "compared-something": """
        A value check that left out most of its points, at poles or where rounding
        decides, says nothing, and silence must not pass. It fails for heads that
        answer with NaN or constants, or for odd parameters. Look at the reasons
        given, and judge in float64.""",
}
"""By the id of a check in `checks`."""


def explained(check: str) -> str:
    """The explanation of a check, as one paragraph.

    Args:
        check: a key of EXPLANATIONS.

    Returns:
        Its text without line breaks.
    """
    return " ".join(EXPLANATIONS[check].split())
