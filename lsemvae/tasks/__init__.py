"""Train with Lightning: pre-training, classification and estimates of numbers."""

from lsemvae.tasks.classify import Classifier, FocalSettings
from lsemvae.tasks.classify_labels import LabelsClassifier
from lsemvae.tasks.head_task import HeadSettings
from lsemvae.tasks.pretrain import Pretrainer
from lsemvae.tasks.regress import Regressor

__all__ = [
    "Classifier",
    "FocalSettings",
    "HeadSettings",
    "LabelsClassifier",
    "Pretrainer",
    "Regressor",
]
