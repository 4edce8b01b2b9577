"한국어로 풀어 쓴 크로스 엔트로피. 이름을 처음 부를 때 그 모듈만 불러오므로, torch가 없어도 `import crossent`는 됩니다."
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_MODULE_OF = {
    "cross_entropy": "loss",
    "CrossEntropyLoss": "loss",
    "linear_cross_entropy": "linear",
    "LinearCrossEntropyLoss": "linear",
    "NumpyCrossEntropy": "reference",
    "PyTorchCrossEntropy": "autograd",
}
__all__ = list(_MODULE_OF)


if TYPE_CHECKING:  # 자료형을 살피는 도구는 이쪽을 읽습니다
    from .autograd import PyTorchCrossEntropy
    from .linear import LinearCrossEntropyLoss, linear_cross_entropy
    from .loss import CrossEntropyLoss, cross_entropy
    from .reference import NumpyCrossEntropy
else:

    def __getattr__(name):
        if name not in _MODULE_OF:
            raise AttributeError(f"module 'crossent' has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__():
    return sorted([*globals(), *__all__])
