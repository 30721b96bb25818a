"""Files: written whole or not at all, tensors in safetensors, checkpoints of a training run."""
