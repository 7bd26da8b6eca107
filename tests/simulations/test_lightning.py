"""A watch in Lightning itself, where it is installed: 2.6 was tried, the suite asks for none."""

import pytest
import torch
from torch import nn

import gantheory as gt
from simulations.losses import discriminator_loss, generator_loss
from simulations.points import points

pl = pytest.importorskip("lightning.pytorch")
pytestmark = pytest.mark.filterwarnings("ignore")


class Gan(pl.LightningModule):
    """Two players, two optimisers; batch norm and dropout keep states that a hook could move."""

    def __init__(self):
        super().__init__()
        self.automatic_optimization = False
        hidden = nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.2)
        self.G = nn.Sequential(nn.Linear(2, 16), *hidden, nn.Linear(16, 2))
        self.D = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))

    def configure_optimizers(self):
        return [torch.optim.Adam(net.parameters(), 1e-3) for net in (self.D, self.G)]

    def training_step(self, batch, index):
        d_loss, g_loss = discriminator_loss("non-saturating"), generator_loss("non-saturating")
        fake = self.G(torch.randn(len(batch[0]), 2))
        moves = self.optimizers()
        for move, loss in (
            (moves[0], lambda: d_loss(self.D(batch[0]), self.D(fake.detach()))),
            (moves[1], lambda: g_loss(self.D(self.G(torch.randn(len(batch[0]), 2))))),
        ):
            move.zero_grad()
            self.manual_backward(loss())
            move.step()


def fitted(data, *, watched, epochs=3, checkpoint=None):
    pl.seed_everything(0, verbose=False)
    model = Gan()
    watch = gt.watch(model.G, model.D, points(data), latent=2, every=5, options={"n": 256})
    loader = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(data), 32, shuffle=True)
    trainer = pl.Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False,
        callbacks=[watch.lightning()] if watched else [],
    )  # fmt: skip
    trainer.fit(model, loader, ckpt_path=checkpoint)
    return model.state_dict(), watch, trainer


def test_lightning_trains_bitwise_the_same_with_the_watch_which_counts_on_after_a_checkpoint(
    tmp_path,
):
    data = torch.randn(256, 2, generator=torch.Generator().manual_seed(1))
    alone, _, _ = fitted(data, watched=False)
    watched, watch, trainer = fitted(data, watched=True)
    assert all(torch.equal(alone[name], values) for name, values in watched.items())
    assert watch.column("step") == [5, 10, 15, 20]
    assert float(trainer.callback_metrics["gantheory/bound"]) == pytest.approx(
        float(watch.readings[-1].bound), rel=1e-6
    )
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    _, watch, _ = fitted(data, watched=True, epochs=5, checkpoint=tmp_path / "last.ckpt")
    assert watch.column("step") == [25, 30, 35, 40]
