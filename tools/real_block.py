"""What does a block of Qwen3 compute in Hugging Face's Transformers? The epilogue compares its own lines with that.

    python tools/real_block.py

prints the last position's first numbers, of a small block with random weights. It wants an environment with torch and
transformers, which the course itself does not need; the numbers in the notebook came from transformers 5.24.0.
"""

import numpy as np
import torch
from transformers import Qwen3Config
from transformers.models.qwen3.modeling_qwen3 import Qwen3DecoderLayer, Qwen3RotaryEmbedding


def weights(rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return random weights of shape (inputs, outputs), and gains, drawn in the order of the epilogue."""
    shapes = {"q_proj": (32, 32), "k_proj": (32, 16), "v_proj": (32, 16), "o_proj": (32, 32)}
    shapes |= {"gate_proj": (32, 96), "up_proj": (32, 96), "down_proj": (96, 32)}
    drawn = {name: rng.normal(0, shape[0] ** -0.5, shape) for name, shape in shapes.items()}
    sizes = {"input_layernorm": 32, "post_attention_layernorm": 32, "q_norm": 8, "k_norm": 8}
    return drawn | {name: rng.normal(1, 0.1, size) for name, size in sizes.items()}


def main() -> None:
    """Print what the block makes of random input."""
    rng = np.random.default_rng(0)
    drawn = weights(rng)
    x = torch.tensor(rng.normal(size=(1, 6, 32)))
    config = Qwen3Config(
        hidden_size=32,
        intermediate_size=96,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        num_hidden_layers=1,
        rope_parameters={"rope_type": "default", "rope_theta": 1e6},
        attn_implementation="eager",
    )
    layer = Qwen3DecoderLayer(config, 0).double().eval()
    places = {name.split(".")[-2]: parameter for name, parameter in layer.named_parameters()}
    assert places.keys() == drawn.keys()
    with torch.no_grad():
        for name, parameter in places.items():
            parameter.copy_(torch.tensor(drawn[name].T))
        position = Qwen3RotaryEmbedding(config)(x, torch.arange(6)[None])
        later = torch.full((6, 6), -torch.inf, dtype=x.dtype).triu(1)[None, None]
        y = layer(x, attention_mask=later, position_embeddings=position)
    print(y.numpy()[0, -1, :6].round(4).tolist(), config.rms_norm_eps)


if __name__ == "__main__":
    main()
