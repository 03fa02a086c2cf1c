"""Describe what the training of a benchmark may cost."""

from dataclasses import dataclass

from lsemvae.core.counted import counted
from lsemvae.models.method import Size


@dataclass(frozen=True)
class Budget:
    """What the training of a benchmark may cost; tables name it.

    Attributes:
        size: of the networks: the publications', or small.
        pretrain_epochs: None for those of each experiment file (100; ST-MEM 800).
        pretrain_batch_size: None for that of each experiment file (128).
        pretrain_lr: None for that of each experiment file (1e-4; ST-MEM 1.5e-4 batch / 256).
        num_workers: loader processes of a pre-training; None for those of each experiment file.
        epochs: of a head, or of a network trained end to end.
        lr: of the same.
    """

    size: Size = "paper"
    pretrain_epochs: int | None = None
    pretrain_batch_size: int | None = None
    pretrain_lr: float | None = None
    num_workers: int | None = None
    epochs: int = 50
    lr: float = 1e-4

    def described(self, pretrained: bool) -> str:
        """Return a line for a caption; `pretrained` says whether any method is pre-trained."""
        networks = {"paper": "networks as published", "small": "small networks"}[self.size]
        parts = [networks, f"{counted(self.epochs, 'epoch')} per fold at lr {self.lr:g}"]
        if pretrained:
            length = "as each experiment file says"
            if self.pretrain_epochs is not None:
                length = f"{counted(self.pretrain_epochs, 'epoch')}"
            parts.append(f"pre-training {length}")
            if self.pretrain_lr is not None:
                parts.append(f"at lr {self.pretrain_lr:g}")
        return ", ".join(parts)


BUDGETS = {
    "paper": Budget(),
    # 2,195 median beats make 35 steps an epoch: with the paper's learning rate nothing converges.
    "laptop": Budget(
        size="small", pretrain_epochs=60, pretrain_batch_size=64, pretrain_lr=1e-3, num_workers=0,
        epochs=20, lr=1e-3,
    ),
}  # fmt: skip
