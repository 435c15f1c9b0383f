"""``obspy-tng info``: versions and model cards."""

import click


@click.command()
@click.option("--model", metavar="MODEL", help="A shipped model or a path.  [default: all shipped ones]")
@click.option("--json", "as_json", is_flag=True, help="The model cards as JSON on stdout.  [default: off]")
def info(model, as_json):
    """Print versions and the model cards."""
    import json

    from obspy_tng.cli.output import tell
    from obspy_tng.models import find, list_models
    from obspy_tng.models.weights import read_card
    from obspy_tng.provenance import show_versions

    cards = {model: read_card(find(model))} if model else list_models()
    if as_json:
        tell(json.dumps(cards))
        return
    show_versions()
    for name, card in cards.items():
        click.echo(
            f"\nmodel {name}: {card['model']}, {card.get('records_train')} records of "
            f"{len(card.get('events_train', []))} events, sha256 {card.get('weights_sha256', '')[:16]}…"
        )
        click.echo(f"  data: {card.get('data', 'see its training folder')}")
        if card.get("reconstruction"):
            click.echo(f"  reconstruction of unseen events: {json.dumps(card['reconstruction'])}")
