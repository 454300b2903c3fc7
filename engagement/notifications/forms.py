"""The shape of what people choose about notices."""

from __future__ import annotations

from typing import Any

from django import forms

from engagement.notifications.topics import ABOUT, Channel, Topic


class PreferencesForm(forms.Form):
    """A box for every topic and channel; boxes of what is always told are shown and cannot be changed."""

    def __init__(self, *args: Any, current: dict[tuple[Topic, Channel], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for topic in Topic:
            for channel in Channel:
                self.fields[f"{topic.value}-{channel.value}"] = forms.BooleanField(
                    label=f"{topic.label}: {channel.label}",
                    required=False,
                    disabled=ABOUT[topic].always,
                    initial=True if ABOUT[topic].always else current[topic, channel],
                )

    @property
    def rows(self) -> list[dict[str, Any]]:
        return [
            {
                "topic": topic,
                "label": topic.label,
                "hint": ABOUT[topic].hint,
                "always": ABOUT[topic].always,
                "boxes": [self[f"{topic.value}-{channel.value}"] for channel in Channel],
            }
            for topic in Topic
        ]

    @property
    def wanted(self) -> dict[tuple[Topic, Channel], bool]:
        return {(topic, channel): bool(self.cleaned_data[f"{topic.value}-{channel.value}"]) for topic in Topic for channel in Channel}
