"""From published archives to labelled pictures: sources, cleaning, splits, augmented copies."""
