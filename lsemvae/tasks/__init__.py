"""Train with Lightning: pre-training and classification."""

from lsemvae.tasks.classify import Classifier, FocalSettings, HeadSettings
from lsemvae.tasks.pretrain import Pretrainer

__all__ = ["Classifier", "FocalSettings", "HeadSettings", "Pretrainer"]
