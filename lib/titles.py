"""Headings of the chapters: the thesis's own, in English, and of those beyond it."""

TITLES = {
    "2_1_datasets": "2.1 Data sets",
    "2_2_asformer": "2.2 The baseline: I3D and ASFormer",
    "2_3_1_public_features": "2.3.1 Training on public features",
    "2_3_2_feature_extraction": "2.3.2 Extracting the features",
    "2_3_3_baseline": "2.3.3 The baseline on own features",
    "2_4_videoclip": "2.4 The multimodal model: S3D and VideoCLIP",
    "2_5_pretrain_one_cluster": "2.5 Pre-training, one cluster an update",
    "2_6_pretrain_many_clusters": "2.6 Pre-training, seven clusters an update",
    "2_7_video_branch": "2.7 The video branch",
    "2_8_1_zero_shot_own": "2.8.1 Zero-shot transfer, own weights",
    "2_8_2_zero_shot_public": "2.8.2 Zero-shot transfer, public weights",
    "2_8_3_error_analysis": "2.8.3 Error analysis",
    "2_9_1_finetune_own": "2.9.1 Fine-tuning, own weights",
    "2_9_2_finetune_public": "2.9.2 Fine-tuning, public weights",
    "3_conclusion": "3 Conclusion",
    "4_1_audit": "4.1 An audit of the thesis's numbers",
    "4_2_controls": "4.2 The controls that the thesis lacked",
    "4_3_scores_check": "4.3 The same protocol on real videos",
}


def number(notebook: str) -> str:
    """Section of the thesis of a notebook.

    >>> number("2_8_2_zero_shot_public")
    '2.8.2'
    """
    return ".".join(part for part in notebook.split("_") if part.isdecimal())
