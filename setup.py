"""Packaging of minitorch. The distribution is `minitorch-layers`: `minitorch` and `layers` are taken on PyPI by others."""

import re
from pathlib import Path

from setuptools import find_packages, setup

here = Path(__file__).parent
# read, not imported: an isolated build has no NumPy
version = re.search(r'^__version__ = "(.+)"', (here / "minitorch/__init__.py").read_text(), re.M).group(1)

examples = [
    "matplotlib>=3.8.4",  # the first for NumPy 2
    "joblib>=1.4",
    "tqdm>=4.66",
    "threadpoolctl>=3.2",
    "scikit-learn>=1.4.2",  # the first for NumPy 2
    "markdown>=3.5",
]
tests = ["pytest>=8", "pytest-xdist>=3.5", "hypothesis>=6.100", "safetensors>=0.7", *examples]

setup(
    name="minitorch-layers",
    version=version,
    description="A deep-learning framework on NumPy or CuPy whose engine is read in one sitting",
    long_description=(here / "README.md").read_text(),
    long_description_content_type="text/markdown",
    author="minitorch developers",
    url="https://pypi.org/project/minitorch-layers/",
    project_urls={"Embedded digits": "https://doi.org/10.24432/C50P49"},
    keywords=["deep learning", "autograd", "automatic differentiation", "neural networks", "education", "numpy", "cupy"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Intended Audience :: Education",
        "Intended Audience :: Science/Research",
        "Operating System :: OS Independent",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3 :: Only",
        *(f"Programming Language :: Python :: 3.{minor}" for minor in range(10, 15)),
        "Topic :: Education",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
        "Typing :: Typed",
    ],
    license="MIT",
    license_files=["LICENSE"],
    packages=find_packages(include=["minitorch", "minitorch.*", "layers", "layers.*"]),
    package_data={
        "minitorch": ["py.typed"],
        "layers": ["py.typed"],
        "minitorch.data": ["uci_digits/*"],
        "minitorch.explorer": ["page.*"],
    },
    python_requires=">=3.10",
    install_requires=["numpy>=2.0"],
    extras_require={
        "examples": examples,
        "tests": tests,
        "benchmarks": ["torch==2.13.0", "jax>=0.10", "mygrad>=2.5", "autograd>=1.9", *examples],
        "mutation": ["cosmic-ray>=8.4", *tests],
        "dask": ["dask>=2024.1", "distributed>=2024.1"],
        "onnx": ["onnx>=1.17", "onnxruntime>=1.20"],
        "ray": ["ray>=2.9"],
        "lint": ["ruff>=0.8"],
        "types": ["mypy>=1.13", "pyright[nodejs]>=1.1.390"],
        "site": ["mkdocs>=1.6", "mkdocs-material>=9.5", "mkdocstrings[python]>=0.27"],
        # The wheels, not plain `cupy`, which pip would try to compile. 14.0 adds no int64 at an index; before 14.2 the sign of
        # a complex 0 is nan; 14.1.0 clashes with PyTorch; and the tests' stand-in is read off 14.2.0.
        "cuda12": ["cupy-cuda12x>=14.2.0"],
        "cuda13": ["cupy-cuda13x>=14.2.0"],
    },
)
