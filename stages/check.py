"""params.yaml, whole: a mistake anywhere in it is named before anything runs."""

from realart import errors, params
from realart.params import Network


def main() -> None:
    knobs = params.load()
    if knobs.train.devices > 1 and isinstance(knobs.recipe, Network):
        from realart import backend  # Keras takes seconds to import

        backend.may_spread(knobs.train.devices, knobs.recipe.batch_size)
    print(f"check: params.yaml is sound; {knobs.model} on {knobs.dataset}")


if __name__ == "__main__":
    errors.run(main)
