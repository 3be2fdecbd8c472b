"""What refusing a call costs a server that does nothing else."""

from benchmarks.saturation import TRIAL_S
from benchmarks.serving_record import ServingRecord
from benchmarks.serving_requests import Questions
from benchmarks.serving_target import running
from benchmarks.serving_trials import Trials

FIRST_RATE = 1_000.0
GROWTH = 1.5
FULL_SHARE = 0.95
"""A server that refuses fewer of the calls than this is full."""


def measure_refusal(questions: Questions, record: ServingRecord) -> float:
    """Return the seconds of processor time that a refusal takes, by the turnstile of our server.

    The rate is raised until the server is full or the generator late; what counts is the highest rate
    at which it was not. NaN where it was one of the two at once.
    """
    cost_s, rate, refused = float("nan"), FIRST_RATE, 0.0
    with running("benchmarks.echo_server", ["--refuse"]) as server:
        trials = Trials(server, questions._replace(name="refusals"), record)
        while True:
            before = server.cpu_s()
            result = trials.put(rate, TRIAL_S)
            if not result.is_valid or result.refused_rate < FULL_SHARE * rate:
                break
            refused = result.refused_rate
            cost_s = (server.cpu_s() - before) / (refused * TRIAL_S)
            rate *= GROWTH
    record.keep("cost of a refusal", {"refusal_s": cost_s, "refused_per_s": refused})
    print(f"  a refusal costs {1e6 * cost_s:.0f} us, at {refused:.0f} a second", flush=True)
    return cost_s
