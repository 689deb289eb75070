"""Writing results.

``result.json`` is one object. Scores and differences are shares of 1 where the metric is one; a number that does not exist (no interval
with one seed, a class without test items) is ``null``, never ``NaN``, which JSON does not have. Schema 2, with S seeds, C classes, L levels
and K points of a learning curve:

- ``schema``, ``vicinal`` (the version), ``study`` (its name), ``question``, ``answer``, ``step_note``, ``command``, ``created``,
  ``seconds``, ``warnings``, ``environment``;
- ``metric`` (name, unit, higher: whether more is better, share: whether it is a share of 1), ``data`` (name, origin, format, classes, kind,
  shape, pool, train, dev, test, skipped), ``cell`` (the place of ``arms`` on the axes of the study: what is not at its default of size,
  steps, epochs, strength, label_noise), ``budget`` (kind, steps, epochs, batch), ``trainer``, ``seeds``, ``alpha``, ``interval``, ``looks``
  (the numbers of seeds at which a race was judged), ``leak`` (allowed, share of dev items with a sibling in train, test_share of test items
  with one; of the arm that leaks most);
- ``failed``: for every trial without an outcome, the sentence that says why and its address;
- ``arms``, the reference first, each with name, control (why the lab added it; empty for an arm that somebody asked about), policy,
  fingerprint, mode (none, duplicate, fly, copies), ``how`` (resample, class_weight, threshold, instead, generated, where the arm has them),
  copies, seeds (those with an outcome), steps, step_ratio, ``scores``, ``train_scores``, ``dev_scores`` (S), mean, ``per_class`` (C),
  verdict, seeds_needed, ``difference`` (against, mean, low, high, p, p_adjusted, paired: one a seed that both have, per_class; null for
  the reference), ``curve`` (steps (K), train and dev (K, S)), ``metrics`` (metric to mean, gain over the reference, low, high),
  ``robustness`` (corruption to levels, mean, gain, low, high, all (L)) and ``cost`` (augment_seconds, train_seconds, ms_per_item);
- ``cells``, where the study has several: for every one its ``cell`` and ``arms`` in short (name, control, seeds, steps, scores, mean,
  gap: the train score above the test score, difference, verdict).
- ``analysis``, what :mod:`vicinal.lab.analysis` says of the headline cell and of the axes through it; a key is absent where it makes no
  sense, and every interval is low, high:

  - by arm: ``items`` (mean, low, high over seeds and test items, se_seeds, se_items), ``worst_class`` (class, change, low, high),
    ``confusion`` (C, C), ``calibration`` (confidence, accuracy and count of bins of equal width, of the test items of all seeds; ece, a
    mean over seeds), ``fits`` (verdict, gap, train, dev, sentence);
  - a list, with arm and sentence: ``confounds`` (naive, duplicate, steps: the gains of the arm and of its controls; share, low, high of
    the larger control), ``cheap`` and ``real_images`` (against, mean, low, high), ``interactions`` (axis, from, to, mean, low, high, p),
    ``views`` (gain, fixed, broken), ``signs`` (rows, columns: name and values; cells: mean, low, high, sign);
  - a list: ``exchange`` (arm, size, times, low, high, words), ``costs`` (arm, ms_per_item, ms_per_point), ``axes`` (axis, values, arms:
    mean, low and high along it);
  - ``selection`` (chosen, dev, test, optimism, low, high, expected, sentence), ``attribution`` (arm, leave_one_out and shapley by part,
    cost: part to ms an item, sentence), ``sentences``, the most important first.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vicinal.core.files import write_files


def write_result(result: Mapping[str, Any], path: Path) -> Path:
    """Write ``result.json``.

    Raises:
        StoreError: as :func:`vicinal.core.files.write_files`.
    """
    write_files({path: result_bytes(result)})
    return path


def result_bytes(result: Mapping[str, Any]) -> bytes:
    """A result as JSON text in UTF-8: NumPy numbers become plain ones, NaN and infinities become null.

    Example:
        >>> result_bytes({"mean": np.float32(0.5), "low": float("nan")})
        b'{\\n  "mean": 0.5,\\n  "low": null\\n}\\n'
    """
    text = json.dumps(plain(result), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return text.encode("utf-8", "replace")


def plain(value: Any) -> Any:
    """A value as JSON knows it: NumPy numbers and arrays become plain ones, NaN and infinities None, paths text."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return str(value) if isinstance(value, Path) else value
