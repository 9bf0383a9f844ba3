"""What `gate --explain` says about the checks of running statistics."""

from __future__ import annotations

POLICY_EXPLAINED = """\
AdaFace's margin follows (norm - mean) / (std + eps) with a running mean and std, and
CurricularFace's hard classes follow a running mean of the target cosines. The official
policy: norms clipped to [0.001, 100], unbiased std, eps 0.001, h z clipped to [-1, 1],
everything detached, updated in training only and before it is used. A head with
another policy trains with other margins than the paper's and is not comparable with
it. The weight of the new batch is configuration (0.01 in training, 1 by the official
constructor's default) as long as it is what the constructor was given; so are the
start values; eps and the clip are, where they are given with --arg. Usual causes:
std(correction=0) or var, lerp the wrong way round, the update written below its use,
clip written before the multiplication by h, a missing torch.no_grad or `if
self.training`. Put it right by writing the update as new = w * batch + (1 - w) * old
under torch.no_grad, first thing in training."""

HISTORY_EXPLAINED = """\
Short random histories of a new head (batches of all sizes, a batch of one, constant
norms, eval calls, saving and loading, a batch with NaN or inf) run beside our own
statistics; the shortest one that goes wrong is shown. A batch of one has no unbiased
std: NaN enters the running std, every logit is NaN from then on, and the gradient
comes back as a finite 0, so that training goes on with a dead head. The last batch of
an epoch is enough, as is one overflow under mixed precision. Put it right by updating
the std from two rows up only, by leaving norms that are not finite out of the update,
by an eps beside the std, by register_buffer (persistent, the default) for what is
kept, and by updating only `if self.training`."""

SHAPE_EXPLAINED = """\
Norms of shape (B,) times a matrix (B, C) broadcast along the classes. For B unlike C
that raises; where B = C it does not, and every row silently takes another row's
margin. Put it right by norms.reshape(-1, 1), or by refusing other shapes."""
