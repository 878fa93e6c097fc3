"""params.yaml, whole: a mistake anywhere in it is named before anything runs."""

from realart import errors, params


def main() -> None:
    knobs = params.load()
    print(f"check: params.yaml is sound; {knobs.model} on {knobs.dataset}")


if __name__ == "__main__":
    errors.run(main)
