"""`import torch` that finds minitorch: in a process of its own each time, since the stand-ins stay in `sys.modules`."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def said(code, *command, check=True):
    command = command or (sys.executable, "-c", code)
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == check, done.stderr
    return done.stdout if check else done.stderr


def test_every_module_a_script_imports_stands_for_minitorchs_own():
    print_all = """
import minitorch.as_torch
import torch, layers, minitorch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch import Tensor, nn as again
from torch.autograd import grad
from torch.functional import F as students
from torch.nn.modules.loss import MSELoss
from torch.nn.modules.transformer import TransformerEncoder
from torch.nn.utils import clip_grad_norm_
from torch.distributions.categorical import Categorical
from torch.optim.adam import Adam
from torch.optim.lr_scheduler import StepLR, _LRScheduler
from torch.cuda.amp import GradScaler, autocast
import torch.backends.cudnn as cudnn
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.hooks import RemovableHandle
from torch.special import expm1
from torch.jit import ScriptModule
from torchvision import datasets, transforms
assert torch.sin_(torch.zeros(1)) == F.relu_(torch.zeros(1)) == 0
assert students.relu is F.relu and Adam is optim.Adam and torch.version.cuda is torch.version.hip is None
assert all(isinstance(kind, torch.dtype) for kind in (torch.float32, torch.int64, torch.zeros(1).bool().dtype))
assert isinstance(nn.Linear(1, 1).register_forward_hook(print), RemovableHandle)  # these four are what torchinfo needs
assert not isinstance(torch.jit.script(nn.Linear(1, 1)), ScriptModule)
assert torch.long not in (torch.float16, torch.bfloat16)
assert torch.ones(4, 3)[1:].untyped_storage().nbytes() == 48
cudnn.benchmark = True
assert issubclass(StepLR, _LRScheduler) and torch.backends.cudnn is cudnn and cudnn.is_available() == torch.cuda.is_available()
assert again is nn and nn.Linear is layers.Linear and F.relu is minitorch.functional.relu
assert Tensor is torch.Tensor is minitorch.Tensor and MSELoss is layers.MSELoss and optim.SGD is minitorch.optim.SGD
assert torch.torch.relu is torch.relu and torch.special.expm1 is expm1 is minitorch.expm1
print(torch.arange(3).sum(), type(torch.ones(1)), type(torch.ones(1).shape), type(nn.Parameter(torch.ones(1))))
"""
    assert said(print_all) == "tensor(3) <class 'torch.Tensor'> <class 'torch.Size'> <class 'torch.nn.parameter.Parameter'>\n"


def test_what_a_script_sets_stays_on_its_own_torch():
    code = "import minitorch.as_torch, torch, minitorch; torch.relu = None; print(minitorch.relu is None, torch.relu is None)"
    assert said(code) == "False True\n"


def test_a_star_import_takes_what_a_module_defines_and_not_what_it_imports():
    code = """
import minitorch.as_torch
from torch.distributions import *
from torch.linalg import *
from torchvision.transforms import *
from torch.nn.init import *
names = set(globals())
assert {"Normal", "kl_divergence", "det", "norm", "Compose", "xavier_uniform_"} <= names
print(names & {"Any", "annotations", "log", "math", "np", "rand", "sum", "tensor", "where", "Tensor", "no_grad", "float32"})
"""
    assert said(code) == "set()\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("torch.nn.Linera", "minitorch has no torch.nn.Linera; the nearest name there is torch.nn.Linear. docs/coverage.md"),
        (
            "from torch.nn import Linera",
            "ImportError: minitorch has no torch.nn.Linera; the nearest name there is torch.nn.Linear.",
        ),
        (
            "import torchvision.transforms.functional as F; F.on_tensorr",  # beside `_on_tensor`
            "minitorch has no torchvision.transforms.functional.on_tensorr; the nearest name there is torchvision.transforms.functional.ToTensor. docs/coverage.md",
        ),
        ("import torch.onnxx", "ModuleNotFoundError: minitorch has no torch.onnxx"),
        ("import torch.nn.Linear", "ModuleNotFoundError: minitorch has no torch.nn.Linear"),
    ],
)
def test_a_name_that_is_missing_is_told_with_the_nearest_that_exists(line, sentence):
    assert sentence in said(f"import minitorch.as_torch, torch\n{line}", check=False)


def test_all_names_and_pytorchs_old_ones_are_imported():
    lines = """
import minitorch.as_torch
from torch.distributions import *
from torch.nn import *
from torch.optim.lr_scheduler import LRScheduler, _LRScheduler
from torch.optim.optimizer import required
import torch
print(Normal(0.0, 1.0), Linear is torch.nn.Linear, _LRScheduler is LRScheduler)
print(torch.zeros_like(torch.ones(2), memory_format=torch.preserve_format))
"""
    assert said(lines) == "Normal(loc: 0.0, scale: 1.0) True True\ntensor([0., 0.])\n"


def test_a_name_that_is_missing_can_be_asked_for():
    assert said("import minitorch.as_torch, torch; print(hasattr(torch, 'no_such_name'))") == "False\n"


def test_tensorboard_is_the_package_that_needs_no_pytorch(tmp_path):
    code = "import minitorch.as_torch\nfrom torch.utils.tensorboard import SummaryWriter\nprint(SummaryWriter)"
    absent = "import sys; sys.modules['tensorboardX'] = None; "
    assert "torch.utils.tensorboard is tensorboardX here, which is not installed" in said(absent + code, check=False)
    (tmp_path / "tensorboardX.py").write_text("SummaryWriter = 'its writer'")
    assert said(f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}") == "its writer\n"


def test_pytorch_itself_already_imported_is_refused():
    code = "import sys, types; sys.modules['torch'] = types.ModuleType('torch'); import minitorch.as_torch"
    assert "torch itself is already imported here" in said(code, check=False)


def test_uninstall_leaves_nothing_behind():
    code = """
import sys, minitorch.as_torch, torch.nn
before = len(sys.meta_path)
minitorch.as_torch.uninstall()
print(len(sys.meta_path) - before, [name for name in sys.modules if name.partition(".")[0] == "torch"])
"""
    assert said(code) == "-1 []\n"


def test_a_script_runs_as_python_would_run_it(tmp_path):
    script = tmp_path / "script.py"
    (tmp_path / "neighbour.py").write_text("NUMBER = 7")
    script.write_text(
        "import sys, torch\nfrom neighbour import NUMBER\nprint(__name__, sys.argv[1:], torch.full((1,), NUMBER).item())"
    )
    assert said("", sys.executable, "-m", "minitorch.run", str(script), "--lr", "3") == "__main__ ['--lr', '3'] 7\n"


def test_run_without_a_script_says_what_it_does():
    assert "no such file: nowhere.py" in said("", sys.executable, "-m", "minitorch.run", "nowhere.py", check=False)
    assert "python -m minitorch.run SCRIPT" in said("", sys.executable, "-m", "minitorch.run", "--help")
