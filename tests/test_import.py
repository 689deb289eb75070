"""What `import vicinal` loads."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("cv2", "numba", "torch", "scipy", "PIL", "matplotlib", "sklearn", "pandas", "rich", "typer", "jinja2")


def test_importing_the_library_loads_nothing():
    code = "import sys, vicinal; print('numpy' in sys.modules, vicinal.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("False ")


def test_its_names_load_numpy_alone():
    code = f"import sys, vicinal; vicinal.Rotate; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_reference_backend_needs_nothing_else():
    code = (
        "import sys, numpy as np, vicinal as v\n"
        "for name in ('cv2', 'numba'): sys.modules[name] = None\n"
        "image = np.zeros((8, 8, 3), np.uint8)\n"
        "policy = v.parse('Rotate(angle=9) | GaussianNoise(std=0.1) | Grayscale() | ToTensor()')\n"
        "print(policy(image, seed=0, backend='reference').shape)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(3, 8, 8)"


def test_a_name_that_does_not_exist_is_an_attribute_error():
    import vicinal

    assert "Rotate" in dir(vicinal)
    assert not hasattr(vicinal, "Rotat")
