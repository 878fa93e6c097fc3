"""Neural networks: Keras and its backend, layers, building a recipe's network, OpenVINO."""
