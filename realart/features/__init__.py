"""From a picture to what a recipe is given: pixels, ELA maps, feature vectors."""
