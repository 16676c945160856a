"""open_clip's own trainer, printing the loss of every pass in full: its log has five digits. Arguments are its own."""
import json
import sys

import open_clip_train.main as trainer

create_loss = trainer.create_loss


def recording(args):
    loss = create_loss(args)

    def call(*inputs, **options):
        losses = loss(*inputs, **options)
        print(json.dumps({"loss": sum(losses.values()).item()}), flush=True)
        return losses

    return call


trainer.create_loss = recording
trainer.main(sys.argv[1:])
