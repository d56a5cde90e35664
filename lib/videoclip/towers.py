"""VideoCLIP with both towers started from a BERT's weights (thesis 2.4.2: bert-base-uncased)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from transformers import BertConfig, BertModel

from lib.backbones.text import from_start
from lib.core.settings import S3DLayer, VideoClip
from lib.videoclip.model import VideoCLIP


def build_videoclip(settings: VideoClip, input_dim: int, seed: int) -> VideoCLIP:
    """Build both towers from the first layers of the starting BERT; the MLP, which it lacks, is drawn by the seed.

    Raises WeightsError: the starting weights are not available.
    """
    config = from_start(BertConfig, settings)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = settings.dropout
    config.num_hidden_layers = settings.text_layers
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = VideoCLIP(config, settings.video_layers, input_dim, settings.max_video_len)
    start = from_start(BertModel, settings, config=config, add_pooling_layer=False)
    state = start.state_dict()
    model.text.load_state_dict(state)
    model.video.load_state_dict({name: state[name] for name in model.video.state_dict()})
    for tower in (model.text, model.video):
        tower.embeddings.word_embeddings.requires_grad_(settings.train_words)
    return model


@dataclass(frozen=True)
class Pretrained:
    """A pre-trained VideoCLIP in evaluation mode, with the S3D layer and the feature set on which it was trained."""

    model: VideoCLIP
    layer: S3DLayer
    feature_set: str
    # the same recipe with other seeds, by the number of the repeat, from 1
    further: Mapping[int, VideoCLIP] = field(default_factory=dict)

    def of(self, repeat: int) -> VideoCLIP:
        """The pre-training of a repeat, or the only one if it has not been repeated."""
        return self.further.get(repeat, self.model)
