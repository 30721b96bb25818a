"""Files: atomic writing, tensors in safetensors files, checkpoints of training runs."""
