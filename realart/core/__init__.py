"""What every package stands on: errors, outputs, tables, the project's folder, work in parallel."""
