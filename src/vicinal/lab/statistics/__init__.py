"""Statistics of the lab: pure functions of scores, which need no training and read no file.

Scores come in pairs (the same seed gives both arms the same subset, split, initial weights and batch order), so nearly everything
works on paired differences, one a seed. Scores are fractions of 1, or any other number of which more is better.
"""

from vicinal.lab.statistics.across import Transfer, transfer
from vicinal.lab.statistics.attribution import (
    Contribution,
    leave_one_out,
    prefixes,
    sampled_orders,
    shapley,
    shapley_sampled,
    subsets,
)
from vicinal.lab.statistics.claims import ClaimVerdict, claim_verdict
from vicinal.lab.statistics.comparison import Comparison, Difference, Verdict, compare, judged
from vicinal.lab.statistics.controls import Explained, explained
from vicinal.lab.statistics.crossed import Hierarchical, hierarchical
from vicinal.lab.statistics.curves import CurveVerdict, Fit, curve_verdict
from vicinal.lab.statistics.exchange import Exchange, exchange_rate
from vicinal.lab.statistics.folds import Corrected, corrected_t
from vicinal.lab.statistics.intervals import Estimate, Method, estimate, interval, within
from vicinal.lab.statistics.planning import Plan, looks, plan
from vicinal.lab.statistics.power import (
    cautious_sd,
    conditional_power,
    detection_power,
    fewest_seeds,
    seeds_needed,
    seeds_to_settle,
)
from vicinal.lab.statistics.racing import Reason, Standing, race
from vicinal.lab.statistics.readings import Reading, meter
from vicinal.lab.statistics.scores import identical_scores
from vicinal.lab.statistics.selection import WinnersCurse, null_optimism, winners_curse
from vicinal.lab.statistics.significance import holm, sign_flip_p
from vicinal.lab.statistics.signs import Axis, SignMap, interaction, sign_map
