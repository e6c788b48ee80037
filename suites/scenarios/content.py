"""Content: one of each content block, and the bytes in them."""

from __future__ import annotations

import base64
from typing import Any

PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
"""The smallest PNG."""

BYTES = bytes(range(256)) * 3 + b"\xff\xfe\x00"

ODD_TEXT = "a\0b \u2028 e\u0301 \u00e9 \ufb01n 10\u00a0km \U0001d518 &lt; %C3 ''\\\\u0000\n"
"""A text that databases refuse, or keep in another form."""

BLOCKS: dict[str, dict[str, Any]] = {
    "text": {"text": "hello"},
    "image": {"image": {"format": "png", "source": {"bytes": PIXEL}}},
    "image by location": {"image": {"format": "png", "source": {"location": {"type": "s3", "uri": "s3://b/k.png"}}}},
    "audio": {"audio": {"format": "wav", "source": {"bytes": BYTES}}},
    "video": {"video": {"format": "mp4", "source": {"bytes": BYTES}}},
    "document": {
        "document": {
            "format": "pdf",
            "name": "report",
            "source": {"bytes": BYTES},
            "citations": {"enabled": True},
            "context": None,
        }
    },
    "reasoning": {"reasoningContent": {"reasoningText": {"text": "so it is", "signature": "c2lnbmVk"}}},
    "redacted reasoning": {"reasoningContent": {"redactedContent": BYTES}},
    "cache point": {"cachePoint": {"type": "default", "ttl": "5m"}},
    "guard content": {"guardContent": {"text": {"text": "check this", "qualifiers": ["query"]}}},
    "citations": {
        "citationsContent": {
            "content": [{"text": "cited"}],
            "citations": [
                {
                    "title": "t",
                    "sourceContent": [{"text": "s"}],
                    "location": {"documentPage": {"documentIndex": 0, "start": 1, "end": 2}},
                }
            ],
        }
    },
}
"""One of each content block of ``strands.types.content.ContentBlock`` that needs no partner."""
