"""Foundations: errors, atomic outputs, tables, the project's paths, the parallel map, devices."""
