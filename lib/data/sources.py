"""Where the things come from that this project reads and does not bring: address, size, licence, checksum.

What the publishers do not say is "not known". Sizes that follow from the number of values are marked as estimated.
"""

from dataclasses import dataclass


NOT_KNOWN = "not known"
MSTCN_ARCHIVE = "https://zenodo.org/records/3625992/files/data.zip"
HOWTO100M = "https://www.di.ens.fr/willow/research/howto100m/"
WILLOW = "https://www.rocq.inria.fr/cluster-willow/amiech/howto100m"
FACEBOOK = "https://dl.fbaipublicfiles.com"


@dataclass(frozen=True)
class Source:
    """Attributes:
    address: a link, or how it is made.
    size: as it lies on the disk.
    licence: of the data or weights; where that is not known, the one of the code that they came with.
    checksum: "<algorithm>:<hexadecimal digest>" of the file.
    """

    address: str = NOT_KNOWN
    size: str = NOT_KNOWN
    licence: str = NOT_KNOWN
    checksum: str | None = None


SALADS = "CC BY-NC-SA 4.0"
LABELS = {  # by the name of the data set's folder
    "50salads": Source(f"{MSTCN_ARCHIVE} (`python -m lib.fetch 50salads` says how)", "8 MB, archive 30 GB", SALADS),
    "50salads_scores": Source("`python -m lib.fetch 50salads_scores`", "0.3 MB", "MIT"),
}
FEATURES = {
    "50salads": Source(LABELS["50salads"].address, "4.7 GB, archive 30 GB", SALADS),
    "50salads_scores": Source(LABELS["50salads_scores"].address, "1.2 MB", "MIT"),
}
VIDEOS = {
    "50salads": Source("https://cvip.computing.dundee.ac.uk/datasets/foodpreparation/50salads/", licence=SALADS),
}
I3D = Source(f"{FACEBOOK}/pytorchvideo/model_zoo/kinetics/I3D_8x8_R50.pyth", "0.11 GB, estimated", "code: Apache-2.0")


# The authors give no checksums of S3D's files; these are of the copies that brain-score/vision keeps.
S3D = Source(
    f"{WILLOW}/s3d_howto100m.pth", "125 MB", "code: Apache-2.0", "sha1:31e99d2a1cd48f2259ca75e719ac82c8b751ea75"
)
S3D_WORDS = Source(
    f"{WILLOW}/s3d_dict.npy", "5.8 MB", "code: Apache-2.0", "sha1:d368ff7d397ec8240f1f963b5efe8ff245bac35f"
)
VIDEOCLIP = Source(f"{FACEBOOK}/MMPT/retri/videoclip/checkpoint_best.pt", "over 0.35 GB, estimated", "code: CC BY-NC")
CAPTIONS = Source(
    f"{WILLOW}/raw_caption.zip; the lists, an id a line, are one's own choice (README)", "10 GB, zipped 3.4 GB"
)
NARRATED = {  # by the layer of S3D
    "mixed_5c": Source(HOWTO100M, "1 TB in float16, estimated"),
    "video_embedding": Source(
        f"not published; MMPT's extractor makes them from the videos of {HOWTO100M}", "0.5 TB in float16, estimated"
    ),
}
BERT = {
    "bert-base-uncased": Source(
        "https://huggingface.co/google-bert/bert-base-uncased",
        "0.44 GB",
        "Apache-2.0",
        "sha256:68d45e234eb4a928074dfd868cead0219ab85354cc53d20e772753c6bb9169d3",  # of model.safetensors
    ),
}
