"""VideoCLIP: two BERT towers, one for a clip's features and one for its captions (thesis 2.4.2, Figure 15, equation 5).

Xu et al., EMNLP 2021 (arXiv 2109.14084). The published code is part of fairseq (MMPT, `MMFusionSeparate`); these are
plain `BertModel`s of transformers, and `from_mmpt` renames the published weights. Three habits of that code are kept:

- A clip is [CLS] f_1 … f_T [SEP]: features through a small MLP, the two marks as words of the video tower's own table.
  [SEP] has the last position, max_video_len + 1, however short the clip.
- A pooled vector is the mean over tokens and [SEP], without [CLS]; no projection, no normalization, temperature 1.
- In dense inference the video [CLS] is hidden from attention, though training saw it (`cls_visible`).
"""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import BertConfig, BertModel

from lib.core.checkpoints import WeightsError
from lib.videoclip.packed_rows import ATTENTION, PackedRows, use_quick_dropout

# prefixes of the published names -> ours
OFFICIAL = {
    "video_encoder.videomlp.": "mlp.",
    "video_encoder.bert.": "video.",
    "video_encoder.classifier.": "head.",
    "text_encoder.": "text.",
}


def from_mmpt(state_dict: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Rename published weights (MMPT's entry `model`), in float32, and drop unused poolers and positions.

    Raises WeightsError: a name is not VideoCLIP's.
    """
    state = {}
    for name, value in state_dict.items():
        bare = name.removeprefix("mmmodel.")
        if ".pooler." in bare or bare.endswith("position_ids"):
            continue
        start = next((start for start in OFFICIAL if bare.startswith(start)), None)
        if start is None:
            raise WeightsError(f"{name!r} is not a weight of VideoCLIP; give the checkpoint's entry `model`")
        state[OFFICIAL[start] + bare.removeprefix(start)] = value.float()
    return state


# the same in bert-base-uncased and in MiniLM
CLS, SEP = 101, 102


class FeatureMLP(nn.Module):
    """Map features to BERT's width, from BERT's initial weights: N(0, .02), zero biases.

    LayerNorm has torch's epsilon, 1e-5; BERT's own has 1e-12.
    """

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        self.linear1 = nn.Linear(inputs, outputs)
        self.LayerNorm = nn.LayerNorm(outputs)
        self.linear2 = nn.Linear(outputs, outputs)
        for linear in (self.linear1, self.linear2):
            nn.init.normal_(linear.weight, std=0.02)
            nn.init.zeros_(linear.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map features: (B, T, D) -> (B, T, H)."""
        return self.linear2(self.LayerNorm(F.gelu(self.linear1(x))))


class VideoCLIP(nn.Module):
    """Encoders of clips and captions into one vector space.

    Args:
        text: configuration of the text tower; the video tower differs only in its number of layers.
        video_layers: layers of the video tower (6 as published, beside 12 for text).
        input_dim: D of the features: 512 as published, 1024 in the thesis's own pre-training.
        max_video_len: longest clip in seconds (features).
        num_classes: outputs of a linear head over the states of the seconds (thesis 2.9); None: no head.
    """

    def __init__(
        self,
        text: BertConfig,
        video_layers: int,
        input_dim: int,
        max_video_len: int = 32,
        num_classes: int | None = None,
    ):
        super().__init__()
        if max_video_len + 2 > text.max_position_embeddings:
            raise ValueError(f"clips of {max_video_len} s do not fit into {text.max_position_embeddings} positions")
        video = copy.deepcopy(text)
        video.num_hidden_layers = video_layers
        self.mlp = FeatureMLP(input_dim, text.hidden_size)
        self.video = BertModel(video, add_pooling_layer=False)
        self.text = BertModel(text, add_pooling_layer=False)
        for tower in (self.video, self.text):
            tower.set_attn_implementation(ATTENTION)
            use_quick_dropout(tower)
        self.head = None if num_classes is None else nn.Linear(text.hidden_size, num_classes)
        self.input_dim, self.max_video_len = input_dim, max_video_len

    def _video_tokens(self, features: Tensor, mask: Tensor, cls_visible: bool) -> tuple[Tensor, Tensor]:
        """States of [CLS], the T seconds and [SEP], (B, T + 2, H), and which of them attention sees, (B, T + 2)."""
        fits = features.ndim == 3 and features.shape[2] == self.input_dim and mask.shape == features.shape[:2]
        if not fits or not 0 < features.shape[1] <= self.max_video_len:
            raise ValueError(
                f"expected features (B, 1 … {self.max_video_len}, {self.input_dim}) and a mask (B, T);"
                f" got {tuple(features.shape)} and {tuple(mask.shape)}"
            )
        batch, seconds, _ = features.shape
        # [CLS] f_1 … f_T [SEP]
        words = self.video.embeddings.word_embeddings.weight[[CLS, SEP]].expand(batch, 2, -1)
        tokens = torch.cat((words[:, :1], self.mlp(features).to(words.dtype), words[:, 1:]), dim=1)
        ends = mask.new_ones(batch, 1)
        seen = torch.cat((ends if cls_visible else ~ends, mask, ends), dim=1)
        # 0, 1 … T, and [SEP] last, however short the clip
        positions = torch.arange(seconds + 2, device=mask.device)
        positions[-1] = self.max_video_len + 1
        states = self.video(inputs_embeds=tokens, attention_mask=seen.long(), position_ids=positions[None])
        return states.last_hidden_state, seen

    def encode_video(self, features: Tensor, mask: Tensor, cls_visible: bool = True) -> Tensor:
        """Encode each clip as one vector, (B, H).

        Args:
            features: (B, T, D), one per second.
            mask: (B, T) bool, False after the end of a clip.
            cls_visible: whether attention sees [CLS]; False in the published dense inference.

        Raises ValueError: a shape does not fit the model.
        """
        states, seen = self._video_tokens(features, mask.bool(), cls_visible)
        return _mean(states, seen)

    def video_states(self, features: Tensor, mask: Tensor, cls_visible: bool = True) -> Tensor:
        """Encode each second as one vector, (B, T, H): as in `encode_video`, but not pooled."""
        return self._video_tokens(features, mask.bool(), cls_visible)[0][:, 1:-1]

    def frame_logits(self, features: Tensor, mask: Tensor, cls_visible: bool = True) -> Tensor:
        """Score the classes at each second, (B, T, num_classes). Raises ValueError: the model has no head."""
        if self.head is None:
            raise ValueError("this VideoCLIP has no head; build it with num_classes")
        return self.head(self.video_states(features, mask, cls_visible))

    def encode_text(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Encode captions (B, L): [CLS] words [SEP], then padding, where the mask is 0; one vector each, (B, H)."""
        states = self.text(input_ids=input_ids, attention_mask=attention_mask.long()).last_hidden_state
        return _mean(states, attention_mask.bool())

    def encode_packed_video(self, clips: PackedRows) -> Tensor:
        """Encode packed clips as `encode_video` does, (B, H).

        Of a row's T + 2 features (D), the first and the last are replaced by [CLS] and [SEP].
        """
        words = self.video.embeddings.word_embeddings.weight[[CLS, SEP]]
        tokens = self.mlp(clips.values).to(words.dtype)
        tokens = torch.where((clips.places == 0)[:, None], words[0], tokens)
        tokens = torch.where(clips.last[:, None], words[1], tokens)
        positions = clips.places.masked_fill(clips.last, self.max_video_len + 1)
        states = self.video(inputs_embeds=tokens[None], position_ids=positions[None], packed=clips)
        return clips.mean(states.last_hidden_state.squeeze(0))

    def encode_packed_text(self, captions: PackedRows) -> Tensor:
        """Encode packed captions [CLS] words [SEP] as `encode_text` does, (B, H)."""
        ids, places = captions.values[None], captions.places[None]
        states = self.text(input_ids=ids, position_ids=places, packed=captions)
        return captions.mean(states.last_hidden_state.squeeze(0))

    def load_mmpt(self, state_dict: Mapping[str, Tensor]) -> None:
        """Load published weights, pre-trained or fine-tuned.

        Raises WeightsError: a weight is missing, superfluous or of another shape.
        """
        state = from_mmpt(state_dict)
        own = {name: tuple(value.shape) for name, value in self.state_dict().items()}
        given = {name: tuple(value.shape) for name, value in state.items()}
        for name in sorted(own.keys() | given.keys()):
            if own.get(name) != given.get(name):
                raise WeightsError(
                    f"VideoCLIP: weight {name!r}: this model has {own.get(name, 'none')}, the checkpoint"
                    f" {given.get(name, 'none')}; check layers, input_dim and num_classes"
                )
        self.load_state_dict(state)


def _mean(states: Tensor, seen: Tensor) -> Tensor:
    """Mean over what attention sees, except [CLS], in float32: (B, L, H), (B, L) -> (B, H)."""
    weights = seen[:, 1:, None].float()
    return (states[:, 1:].float() * weights).sum(dim=1) / weights.sum(dim=1)


def contrastive_loss(video: Tensor, text: Tensor, temperature: float = 1.0) -> Tensor:
    """Equation 5: each clip must find its captions among all captions, and each caption its clip.

    Args:
        video, text: (B, D); row i of both is a pair, all other rows are its negatives.
        temperature: τ, 1 in the thesis.

    >>> round(contrastive_loss(torch.zeros(8, 2), torch.zeros(8, 2)).item(), 3)  # 2 ln 8
    4.159
    """
    # scores[i, j] = z_v of clip i · z_t of caption j
    scores = video @ text.T / temperature
    own = torch.arange(len(video), device=video.device)
    # -log of the softmax over captions, and -log of the softmax over clips, at the pair's own place
    return F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)
