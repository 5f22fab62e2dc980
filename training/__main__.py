"""The command: `python -m training` trains everything; its parts can be run alone.

    python -m training [--seeds 1 2 3] [--runs hdpo grpo …] [--out training/out]   all of it, two processes at a time, then pack
    python -m training prepare                                                     base and cold start, with their gates
    python -m training run --seed 1 --run hdpo                                     one RL run
    python -m training table                                                       the table of the README
"""
import argparse
import os
import sys
import time
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m training", description="Trains the sample run.")
    parser.add_argument("part", nargs="?", default="all", choices=("all", "prepare", "run", "table"))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--run", default="hdpo")
    parser.add_argument("--runs", nargs="+", default=["hdpo", "grpo", "coupled-mild", "coupled-aggressive",
                                                      "coupled-gated"])
    parser.add_argument("--steps", type=int, help="stop each run after so many steps")
    parser.add_argument("--out", type=Path, default=FOLDER / "out")
    options = parser.parse_args()
    if options.part == "all":
        from . import schedule
        sys.exit(schedule.run_all(options))
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    import jax
    jax.config.update("jax_compilation_cache_dir", str(options.out / "compiled"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.3)
    if options.part == "table":
        from . import evaluate
        print(evaluate.table(options.out))
    else:
        {"prepare": prepare, "run": run}[options.part](options)


FIRST_SEED = 1


def prepare(options) -> None:
    """Base and cold start, once for all seeds of RL; stops where a gate is missed."""
    from . import checkpoints, demonstrations, gates, pretrain, tokenizer
    from .environment import STRATA, questions, split_questions
    from .rollouts import Player
    say, folder = _speaker(), options.out / "checkpoints"
    everything = [question for stratum in STRATA for question in questions(stratum)]
    layout = tokenizer.train_tokenizer(tokenizer.corpus(demonstrations.demonstrate, everything))
    player, (pools, _) = Player(tokenizer.Codec(layout)), split_questions()

    def made(name: str, make):
        # What an earlier command left is taken: the same seed would only give the same again.
        if not (folder / f"{name}.npz").exists():
            checkpoints.save(folder, name, make(), player.codec, layout)
        return checkpoints.load(folder, name)

    base = made("base", lambda: pretrain.train_base(FIRST_SEED, player.codec, say))
    gates.check_base(player, base, pools, FIRST_SEED, say)
    start = made("start", lambda: pretrain.cold_start(base, player, FIRST_SEED, say))
    gates.check_start(player, start, pools, FIRST_SEED, say)
    say(f"trained in {time.process_time():.0f} s of processor time")


def run(options) -> None:
    """One RL run of one seed, from the start policy."""
    from . import checkpoints, rl
    from .environment import split_questions
    from .rollouts import Player
    from .tokenizer import Codec
    if options.steps:
        rl.SETTINGS["steps"] = options.steps
    say, folder = _speaker(), options.out / f"seed-{options.seed}"
    if (folder / "checkpoints" / f"{options.run}.npz").exists():
        say(f"seed {options.seed} {options.run}: its checkpoint is there already")
        return
    layout = (options.out / "checkpoints" / "tokenizer.json").read_text(encoding="utf-8").rstrip("\n")
    player, (pools, held_out) = Player(Codec(layout)), split_questions()
    params = checkpoints.load(options.out / "checkpoints", "start")
    checkpoints.save(folder / "checkpoints", "start", params, player.codec, layout)
    for _, params in rl.train(options.run, params, player, seed=options.seed, folder=folder, pools=pools,
                              held_out=held_out, say=say):
        pass
    checkpoints.save(folder / "checkpoints", options.run, params, player.codec, layout)
    say(f"trained in {time.process_time():.0f} s of processor time")


def _speaker():
    began = time.time()
    return lambda text: print(f"[{time.time() - began:6.0f} s] {text}", flush=True)


main()
