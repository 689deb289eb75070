"""Trainers from plain data: what is read, and what is refused in words."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC

from vicinal.core.errors import Faults, ParameterError, PolicyError
from vicinal.learn.cnn import CNN
from vicinal.learn.estimator import Sklearn
from vicinal.learn.function import Function
from vicinal.learn.mlp import MLP
from vicinal.learn.registry import read_trainer


def test_a_name_alone_is_the_defaults():
    assert read_trainer("mlp") == MLP()
    assert read_trainer({"name": "cnn"}) == CNN()


def test_lists_and_whole_numbers_are_read_as_what_they_mean():
    assert read_trainer({"name": "mlp", "hidden": [5], "lr": 1}) == MLP(hidden=(5,), lr=1.0)
    assert json.dumps(read_trainer({"name": "mlp", "lr": 1}).data()) == json.dumps(MLP(lr=1.0).data())


def test_an_estimator_is_told_by_what_differs():
    assert dict(Sklearn(SVC(C=3)).data()) == {"name": "sklearn", "estimator": "SVC", "C": 3}
    assert read_trainer({"name": "sklearn", "estimator": "SVC", "C": 3}) == Sklearn(SVC(C=3))
    assert Sklearn(SVC()) != Sklearn(SVC(C=3))
    assert Sklearn(SVC()).replace(C=3) == Sklearn(SVC(C=3))


def test_later_changes_of_an_estimator_change_nothing():
    mine = SVC()
    trainer = Sklearn(mine)
    mine.set_params(C=7)
    assert trainer == Sklearn(SVC())


def test_a_pipeline_is_told_by_its_repr():
    told = Sklearn(make_pipeline(StandardScaler(), KNeighborsClassifier(3))).data()["estimator"]
    assert "StandardScaler()" in told
    assert "n_neighbors=3" in told
    with pytest.raises(ParameterError, match=r"an estimator that can be told by its repr.*write Function"):
        Sklearn(make_pipeline(FunctionTransformer(lambda x: x), SVC())).data()


def test_a_function_and_its_import_path_are_the_same():
    assert Function(np.sort) == Function("numpy:sort")
    assert read_trainer(Function(np.sort).data(), trusted=True) == Function(np.sort)
    assert Function(lambda train, seed: None).data()["function"].endswith("<lambda>")


REFUSED = [
    ("mpl", "trainer: expected one of cnn, function, mlp, resnet, sklearn, got 'mpl'; write name: mlp"),
    (3, "trainer: expected a name, or a mapping with a name, got 3"),
    ({"lr": 1}, "expected a name, or a mapping with a name"),
    ({"name": "mlp", "lrr": 1}, "MLP: expected a setting of mlp: hidden, lr, batch, momentum, weight_decay, got 'lrr'; write lr"),
    ({"name": "mlp", "stacked": False}, "got 'stacked'"),
    ({"name": "mlp", "lr": "fast"}, r"MLP.lr: expected a learning rate above 0 and below 1e30, got 'fast'; write lr=0.1"),
    ({"name": "cnn", "optimiser": "adamw"}, r"CNN.optimiser: expected one of 'adam', 'sgd', got 'adamw'"),
    ({"name": "cnn", "channels": []}, r"CNN.channels: expected widths of 1 or more, got \(\)"),
    ({"name": "resnet", "smoothing": 1}, r"ResNet.smoothing: expected a number in \[0, 1\), got 1.0"),
    ({"name": "sklearn"}, "the name of a classifier or regressor of scikit-learn, got None; write estimator: SVC"),
    ({"name": "sklearn", "estimator": "SVCC"}, "got 'SVCC'; write estimator: SVC"),
    ({"name": "sklearn", "estimator": "os:system"}, "the name of a classifier or regressor of scikit-learn"),
    ({"name": "sklearn", "estimator": "PCA"}, "the name of a classifier or regressor of scikit-learn"),
    ({"name": "sklearn", "estimator": "SVC", "gama": 3}, "a parameter of SVC, got 'gama'; write gamma"),
    ({"name": "sklearn", "estimator": "SVC", "C": -3}, "Sklearn.SVC: expected parameters that it takes, got The 'C' parameter"),
    ({"name": "sklearn", "estimator": "VotingClassifier"}, "an estimator that needs no other estimators"),
    ({"name": "function", "function": "numpy:sort"}, "a trainer that names no code, or data that you trust.*write trusted=True"),
]


@pytest.mark.parametrize(("data", "message"), REFUSED, ids=lambda value: str(value)[:40])
def test_what_cannot_be_is_refused_in_words(data, message):
    with pytest.raises(PolicyError, match=message):
        read_trainer(data)


@pytest.mark.parametrize("path", [None, 3, "numpy", "numpy:sort:x", "nosuchpackage:fit", "__main__:fit", "numpy:<lambda>"])
def test_functions_that_cannot_be_imported_are_refused(path):
    with pytest.raises(ParameterError, match=r"Function.function: expected a function, or the import path of a function"):
        read_trainer({"name": "function", "function": path}, trusted=True)


def test_a_function_that_is_not_given_is_missed():
    with pytest.raises(ParameterError, match=r"Function.function: expected a function, .*, got nothing"):
        read_trainer({"name": "function"}, trusted=True)


def test_all_faults_come_at_once():
    with pytest.raises(Faults, match="3 faults"):
        read_trainer({"name": "mlp", "lrr": 1, "lr": 0, "batch": 2.5})


def test_other_settings_are_checked_too():
    assert MLP().replace(lr=0.5) == MLP(lr=0.5)
    with pytest.raises(ParameterError, match=r"MLP: expected a setting .* got 'lrr'; write lr"):
        MLP().replace(lrr=0.5)


def test_an_estimator_is_one():
    with pytest.raises(ParameterError, match=r"Sklearn.estimator: expected an estimator of scikit-learn"):
        Sklearn("SVC")
